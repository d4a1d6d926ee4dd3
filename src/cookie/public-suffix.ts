/**
 * Domains under which anybody can register, as far as a small table goes: enough to warn of the usual mistakes
 * at configuration time. Browsers hold the whole list (publicsuffix.org) and have the last word; a domain that
 * only they know as a suffix yields cookies that are not stored.
 */

/** Second-level labels under which most registries of country codes hand out names: `co.uk`, `com.br`, `ac.jp`. */
const REGISTRY_LABELS: ReadonlySet<string> = new Set(["ac", "co", "com", "edu", "gov", "mil", "net", "org"]);

/** Country codes whose registries hand out names directly, so that `net.de` is somebody's own. */
const FLAT_COUNTRY_CODES: ReadonlySet<string> = new Set(["be", "ch", "de", "dk", "eu", "fi", "nl"]);

/** Labels that are a registry's in some countries and ordinary names in others (`web.de`, `id.me`). */
const REGISTRY_DOMAINS: ReadonlySet<string> = new Set([
  "asn.au",
  "id.au",
  "gv.at",
  "or.at",
  "gob.ar",
  "gob.es",
  "nom.es",
  "gob.mx",
  "gouv.fr",
  "govt.nz",
  "gen.in",
  "ind.in",
  "go.id",
  "or.id",
  "web.id",
  "ad.jp",
  "go.jp",
  "lg.jp",
  "ne.jp",
  "or.jp",
  "go.kr",
  "or.kr",
  "re.kr",
  "ltd.uk",
  "me.uk",
  "nhs.uk",
  "plc.uk",
  "sch.uk",
  "go.th",
  "in.th",
  "or.th",
  "nom.za",
  "web.za",
]);

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
  if (top === "" || SHARED_DOMAINS.has(domain) || REGISTRY_DOMAINS.has(domain)) return true;
  const isCountryCode = top.length === 2 && !FLAT_COUNTRY_CODES.has(top);
  return more.length === 0 && isCountryCode && REGISTRY_LABELS.has(second);
}
