/** The build for Node, and for runtimes with its `node:crypto`: cookies are sealed and opened synchronously. */
import {
  createCookieTracker,
  createKeyRing,
  createRandomSource,
  createSequenceCookies,
  generateMasterKey,
  importKeySet,
  OWN_COOKIES,
  RecentPayloads,
} from "../cookie/index.ts";
import type { MasterKey } from "../cookie/index.ts";
import type { Runtime } from "./guard.ts";
import type { KeySetInput } from "./options.ts";

/** @param keys JWK set, or its JSON text; `STEPGATE_KEYS` unless given, else a key that dies with the process */
export function nodeRuntime(keys: KeySetInput | string | undefined): Runtime {
  const random = createRandomSource();
  return {
    random,
    async carrier({ maxEntries, maxAgeSeconds, leads }) {
      const keyRing = createKeyRing(await readKeys(keys, random));
      const recent = new RecentPayloads();
      return {
        trackerFor: (zone) =>
          createCookieTracker(
            createSequenceCookies({
              zoneId: zone.id,
              keyRing,
              random,
              recent,
              scope: { ...zone.settings.cookieScope, maxAgeSeconds },
              limits: { maxEntries, maxAgeMs: maxAgeSeconds * 1000 },
              leads,
            }),
          ),
        ownCookies: OWN_COOKIES,
      };
    },
  };
}

async function readKeys(
  keys: KeySetInput | string | undefined,
  random: (size: number) => Uint8Array,
): Promise<readonly MasterKey[]> {
  const set = keys ?? process.env["STEPGATE_KEYS"];
  if (set !== undefined) return importKeySet(set);
  process.emitWarning(
    "no keys are configured, so sequences end with this process and are not shared with others: set `keys` or STEPGATE_KEYS",
    { type: "StepgateWarning", code: "STEPGATE_NO_KEYS" },
  );
  return [generateMasterKey(random)];
}
