/** Requests to the endpoints of well-known public APIs, with values as such APIs have them. */
import templates from "../vectors/openapi-templates.json" with { type: "json" };
import { createRandom } from "./markov.ts";

export interface Api {
  readonly host: string;
  /** `GET /users/{username}` */
  readonly operations: readonly string[];
}

export const APIS: Readonly<Record<string, Api>> = templates;

type Draw = () => number;
type Maker = (draw: Draw) => string;

const LOWER = "abcdefghijklmnopqrstuvwxyz";
const BASE62 = `${LOWER}${LOWER.toUpperCase()}0123456789`;
const HEX = "0123456789abcdef";
const SYLLABLES =
  "ba be bi bo bra can cor da del den do fa fen ga ger ha hol in ka ken la lin lo ma mer mi na nor o pa per ra ren ri sa sol ta ter to va ven vi wa wen yo za".split(
    " ",
  );
const WORDS =
  "alpha amber apollo atlas aurora basalt beacon birch blue bravo canyon cedar cobalt coral crane delta ember falcon fern flint forest gamma garnet glacier granite harbor hazel indigo iris island jade juniper kestrel lagoon lark lava linen lotus lunar maple marble meadow meteor mint moss nova oak ocean olive onyx opal orchid otter panda pearl pine prairie quartz raven reef river robin ruby saffron sage scarlet shadow silver sky slate solar spruce stone summit sun teal thistle tiger topaz tulip umber valley velvet violet walnut willow winter wolf zephyr".split(
    " ",
  );

const text =
  (alphabet: string, length: number): Maker =>
  (draw) =>
    Array.from({ length }, () => alphabet[Math.floor(draw() * alphabet.length)]).join("");
const pick =
  (choices: readonly string[]): Maker =>
  (draw) =>
    choices[Math.floor(draw() * choices.length)]!;
const number =
  (from: number, to: number): Maker =>
  (draw) =>
    String(from + Math.floor(draw() * (to - from)));
const join =
  (separator: string, ...makers: readonly Maker[]): Maker =>
  (draw) =>
    makers.map((make) => make(draw)).join(separator);
const word: Maker = pick(WORDS);
const name: Maker = (draw) =>
  Array.from({ length: 2 + Math.floor(draw() * 3) }, () => pick(SYLLABLES)(draw)).join("");
const uuid: Maker = join("-", text(HEX, 8), text(HEX, 4), text(HEX, 4), text(HEX, 4), text(HEX, 12));
const sid: Maker = join("", pick(["AC", "CA", "SM", "PN", "RE"]), text(HEX, 32));
const key = (prefix: string): Maker => join("_", () => prefix, text(BASE62, 14));
const id: Maker = number(1, 5_000_000);
/** One of a fixed set, the first ones far more often than the last. */
const popular = (size: number, make: Maker, seed: number): Maker => {
  const random = createRandom(seed);
  const pool = Array.from({ length: size }, () => make(random));
  return (draw) => pool[Math.floor(size * draw() ** 2)]!;
};

const MAKERS: Readonly<Record<string, Maker>> = {
  gist_id: text(HEX, 32),
  org: popular(400, name, 1),
  owner: popular(600, name, 2),
  username: popular(900, name, 3),
  repo: popular(900, join("-", word, name), 4),
  team_slug: popular(300, join("-", word, name), 5),
  sha: text(HEX, 40),
  tag: join("", () => "v", join(".", number(0, 9), number(0, 30), number(0, 30))),
  txn: key("txn"),
  charge: key("ch"),
  customer: key("cus"),
  account: key("acct"),
  session: key("cs_test"),
  source: key("card"),
  subscription: key("sub"),
  dispute: key("dp"),
  event: key("evt"),
  invoice: key("in"),
  intent: key("pi"),
  payout: key("po"),
  price: key("price"),
  product: key("prod"),
  refund: key("re"),
  token: key("tok"),
  node: join("-", () => "node", number(1, 40)),
  // Few, popular, and without a digit: only what follows them gives them away.
  namespace: popular(30, join("-", word, word), 6),
  name: join("-", word, word, text(`${LOWER}0123456789`, 5)),
  pv: join("-", () => "pvc", uuid),
  clusterrole: popular(
    300,
    join(":", () => "system", join("-", word, name)),
    7,
  ),
  CountryCode: pick("US GB DE FR AT CH NL BE ES IT PT SE NO DK FI PL CZ IE AU NZ CA BR MX JP".split(" ")),
  app_uuid: uuid,
  deployment_uuid: uuid,
  cdn_uuid: uuid,
  certificate_uuid: uuid,
  cluster_uuid: uuid,
  lb_uuid: uuid,
  project_uuid: uuid,
  volume_uuid: uuid,
  domain_name: popular(600, join(".", name, pick(["com", "org", "net", "dev"])), 8),
  variable_key: popular(400, (draw) => `${word(draw)}_${word(draw)}`.toUpperCase(), 9),
  album_id: text(BASE62, 22),
  artist_id: text(BASE62, 22),
  track_id: text(BASE62, 22),
  playlist_id: text(BASE62, 22),
  episode_id: text(BASE62, 22),
  show_id: text(BASE62, 22),
  container: text(HEX, 12),
  exec_id: text(HEX, 64),
  image: popular(40, join(":", word, pick(["latest", "1.27", "3", "slim"])), 10),
  network_id: text(HEX, 64),
  service_id: text(`${LOWER}0123456789`, 25),
  volume: popular(300, join("_", word, name), 11),
  snowflake: join("", number(1, 9), text("0123456789", 17)),
  emoji: () => "%F0%9F%94%A5",
  interaction_token: text(BASE62, 68),
  invite_code: text(BASE62, 8),
  issue_key: join("-", pick(["PROJ", "OPS", "WEB"]), number(1, 9000)),
};

const SID = /Sid$/;

function makerOf(variable: string): Maker {
  return MAKERS[variable] ?? (SID.test(variable) ? sid : id);
}

export interface SampleRequest {
  readonly method: string;
  readonly host: string;
  readonly path: string;
  readonly status: number;
}

export interface SampleOptions {
  /** Requests of each operation; some get up to three times as many. */
  readonly perOperation: number;
  /** Share of requests to paths that do not exist, answered 200 all the same. */
  readonly noise: number;
  readonly seed: number;
}

/** Requests in an arbitrary order. */
export function sampleRequests(api: Api, { perOperation, noise, seed }: SampleOptions): SampleRequest[] {
  const draw = createRandom(seed);
  const requests: { readonly at: number; readonly request: SampleRequest }[] = [];
  const send = (method: string, path: string, status: number): void => {
    requests.push({ at: draw(), request: { method, host: api.host, path, status } });
  };
  for (const operation of api.operations) {
    const [method = "", template = ""] = operation.split(" ");
    const times = Math.floor(perOperation * (1 + 2 * draw() ** 2));
    for (let at = 0; at < times; at += 1) {
      const path = template.replaceAll(/\{(\w+)\}/g, (_, variable: string) => makerOf(variable)(draw));
      send(method, path, draw() < 0.03 ? 404 : 200);
      if (draw() >= noise) continue;
      // A scanner, a typing error, something behind a path, something before it.
      const [first = ""] = path.slice(1).split("/");
      const odd = [
        `/${name(draw)}.php`,
        `/${first}/${name(draw)}`,
        `${path}/${name(draw)}`,
        `/${name(draw)}${path}`,
      ];
      send(method, pick(odd)(draw), 200);
      send(method, `/${name(draw)}`, 404);
    }
  }
  return requests.toSorted((a, b) => a.at - b.at).map(({ request }) => request);
}

/** Templates as Stepgate writes them: `GET /users/{var1}`. */
export function expectedEndpoints(api: Api): ReadonlySet<string> {
  return new Set(
    api.operations.map((operation) => {
      let variable = 0;
      return operation.replaceAll(/\{\w+\}/g, () => {
        variable += 1;
        return `{var${variable}}`;
      });
    }),
  );
}
