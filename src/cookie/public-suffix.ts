/**
 * Domains under which anybody can register, as far as a small table goes: enough to warn of the usual mistakes
 * at configuration time. Browsers hold the whole list (publicsuffix.org) and have the last word; a domain that
 * only they know as a suffix yields cookies that are not stored.
 */

/** Second-level labels that registries of country codes use: `co.uk`, `com.br`, `ac.jp`. */
const REGISTRY_LABELS: ReadonlySet<string> = new Set(
  "ac co com edu gob gouv gov govt go id ltd me mil name ne net nhs nom or org plc sch web".split(" "),
);

/** Hosting services that give each customer a label of their own. */
const SHARED_DOMAINS: ReadonlySet<string> = new Set([
  "appspot.com",
  "azurewebsites.net",
  "blogspot.com",
  "cloudapp.net",
  "cloudfront.net",
  "deno.dev",
  "firebaseapp.com",
  "fly.dev",
  "github.io",
  "gitlab.io",
  "herokuapp.com",
  "netlify.app",
  "ngrok-free.app",
  "ngrok.app",
  "ngrok.io",
  "onrender.com",
  "pages.dev",
  "run.app",
  "surge.sh",
  "up.railway.app",
  "vercel.app",
  "web.app",
  "workers.dev",
]);

/** @param domain a host name in lower case */
export function isPublicSuffix(domain: string): boolean {
  const [second = "", top = "", ...more] = domain.split(".");
  if (top === "" || SHARED_DOMAINS.has(domain)) return true;
  return more.length === 0 && top.length === 2 && REGISTRY_LABELS.has(second);
}
