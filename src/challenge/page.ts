/** The page that asks a browser for some work before a request may go on. Self-contained: no third party, no origin. */
import { SOLVER_SCRIPT } from "./solver.ts";
import type { IssuedChallenge } from "./types.ts";

/** Where answers go. Requests to it never reach an origin. */
export const CHALLENGE_PATH = "/.well-known/stepgate/challenge";

export interface ChallengePage {
  readonly challenge: IssuedChallenge;
  /** Hexadecimal. */
  readonly rayId: string;
  /** Whether loading the page again repeats the request without asking the visitor (GET, HEAD). */
  readonly repeatable: boolean;
  /** Nonce of the Content-Security-Policy, hexadecimal; new for each page. */
  readonly nonce: string;
}

/** Scripts and styles of this page only, requests to this host only. */
export function challengePolicy(nonce: string): string {
  return [
    "default-src 'none'",
    `script-src 'nonce-${nonce}'`,
    `style-src 'nonce-${nonce}'`,
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join("; ");
}

/** INVARIANT: nothing that a visitor wrote goes into the page: token and seed are base64url and hexadecimal, and ours. */
export function renderChallengePage({ challenge, rayId, repeatable, nonce }: ChallengePage): string {
  const { token, seed, difficultyBits, rounds } = challenge;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>Checking your browser</title>
<style nonce="${nonce}">
:root { color-scheme: light dark; }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; font: 16px/1.5 system-ui, sans-serif; background: Canvas; color: CanvasText; }
main { max-width: 34rem; padding: 2rem; }
h1 { font-size: 1.5rem; margin: 0 0 .75rem; }
p { margin: 0 0 1.5rem; }
progress { width: 100%; height: .75rem; }
button { font: inherit; padding: .5rem 1rem; }
small { display: block; border-top: 1px solid; padding-top: 1rem; margin-top: 1.5rem; opacity: .75; }
code { font: .95em ui-monospace, monospace; user-select: all; }
</style>
</head>
<body data-token="${token}" data-seed="${seed}" data-bits="${difficultyBits}" data-rounds="${rounds}" data-path="${CHALLENGE_PATH}" data-repeatable="${repeatable}">
<main>
<h1>Checking your browser</h1>
<p>This site asks browsers for a moment of computing before this step. It takes a few seconds, nothing has to be done, and nothing about you is collected.</p>
<progress id="progress" max="${rounds}" value="0" aria-label="Progress of the check"></progress>
<p id="status" role="status" aria-live="polite">Checking your browser: 0 %</p>
<button id="again" type="button" hidden>Load the page again</button>
<noscript><p>The check needs JavaScript. Allow it for this site and load the page again, or ask the site's owner for another way.</p></noscript>
<small>If you ask the site's owner about this, name the ray id <code id="ray-id">${rayId}</code>.</small>
</main>
<script nonce="${nonce}">${SOLVER_SCRIPT}</script>
</body>
</html>
`;
}
