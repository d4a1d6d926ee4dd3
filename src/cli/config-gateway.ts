/** What the configuration says about traffic: zones and their origins, whom to trust, limits. */
import * as z from "zod";
import { DEFAULT_GUARD_LIMITS, DEFAULT_HEADER_POLICY, DEFAULT_LISTENER_LIMITS } from "../gateway/index.ts";
import type { GuardLimits, ListenerLimits } from "../gateway/index.ts";
import type { PathOptions } from "../operation/index.ts";
import { DEFAULT_UPSTREAM_LIMITS } from "../proxy/index.ts";
import type { UpstreamLimits } from "../proxy/index.ts";

const isOrigin = (text: string): boolean => {
  if (text.startsWith("unix:")) return text.startsWith("unix:/") && !text.includes("\0");
  const url = URL.parse(text);
  return (
    url !== null &&
    /^https?:$/.test(url.protocol) &&
    url.pathname === "/" &&
    url.search === "" &&
    url.hash === "" &&
    url.username === ""
  );
};

export const originSchema = z.string().refine(isOrigin, {
  error:
    "expected scheme, host and port only, such as `http://127.0.0.1:3000`, or a socket, such as `unix:/run/app.sock`",
});

const originsSchema = z
  .array(
    z.strictObject({
      /** Scheme, host and port, or `unix:` and the path of a socket. */
      url: originSchema,
      /** Share of the requests. */
      weight: z.int().min(1).max(1_000).default(1),
      /** PEM file with the certificates that the origin's is checked against; the system's unless given. */
      ca: z.string().min(1).optional(),
      /** Name asked for and checked; the host of the URL unless given. */
      servername: z.string().min(1).optional(),
    }),
  )
  .max(64);

/** Path options that a zone says something about. */
export type ZonePathOptions = { readonly [Name in keyof PathOptions]?: PathOptions[Name] | undefined };

const pathOptionsSchema: z.ZodType<ZonePathOptions, ZonePathOptions> = z.strictObject({
  maxTargetBytes: z.int().min(256).max(65_536).optional(),
  encodedSlash: z.enum(["reject", "keep", "decode"]).optional(),
  encodedBackslash: z.enum(["reject", "keep", "decode"]).optional(),
  doubleEncoding: z.enum(["reject", "keep"]).optional(),
  caseSensitive: z.boolean().optional(),
  caseFolding: z.enum(["ascii", "unicode"]).optional(),
  trailingSlash: z.enum(["fold", "keep"]).optional(),
  params: z.enum(["fold", "cut", "keep"]).optional(),
  formatSuffix: z.enum(["fold", "keep"]).optional(),
  pathInfo: z.enum(["off", "prefix"]).optional(),
});

export const zoneSchema = z
  .strictObject({
    /** Name of the site; its id is derived from it. */
    name: z.string().min(1).max(253),
    /** Host names it answers for; its name unless given. */
    hosts: z.array(z.string().min(1)).min(1).optional(),
    /** Where its requests go. */
    origin: originSchema.optional(),
    /** In the place of `origin`: several, or one with more to say about it. */
    origins: originsSchema.optional(),
    /** Asks each origin at an interval; a status below 400 is health. */
    health: z
      .strictObject({
        /** Path that is asked for, with its query. */
        path: z.string().startsWith("/"),
        /** Milliseconds from one answer to the next question. */
        intervalMs: z.int().min(100).max(3_600_000).default(5_000),
      })
      .optional(),
    /** What the origin makes of unusual spellings of a path. */
    pathOptions: pathOptionsSchema.optional(),
  })
  // A configuration that was read before, and is now laid under the command line's, has both and they agree.
  .refine(
    ({ origin, origins: [first] = [] }) =>
      (origin ?? first) !== undefined &&
      (first === undefined || origin === undefined || origin === first.url),
    {
      error: "expected either `origin` or `origins`",
    },
  )
  .transform(({ origins = [], ...zone }) => ({
    ...zone,
    /** Where its requests go, each with its weight. */
    origins,
    /** What the store and the API show. */
    origin: zone.origin ?? origins[0]?.url ?? "",
  }));

export const trustSchema = {
  /** Addresses and CIDR ranges of proxies in front whose `X-Forwarded-*` count; nobody's unless given. */
  trustedProxies: z.array(z.string().min(1)).default([]),
  /** Header names with `_`: pass all but those in disguise, drop all, or answer 400. */
  underscores: z.enum(["forward", "drop", "reject"]).default(DEFAULT_HEADER_POLICY.underscores),
  /** `X-HTTP-Method-Override` and kin: remove, pass on, or match by the method they name. */
  methodOverride: z.enum(["strip", "forward", "honour"]).default(DEFAULT_HEADER_POLICY.methodOverride),
  /** Whether origins get `Via`. nginx compresses no answer to such a request unless `gzip_proxied` says so. */
  via: z.boolean().default(true),
};

/** Whole numbers from 0, with these defaults. */
function numbersSchema<Limits extends object>(defaults: Limits): z.ZodType<Limits, Partial<Limits>> {
  const shape = Object.fromEntries(
    Object.entries<number>(defaults as Record<string, number>).map(([name, value]) => [
      name,
      z.number().min(0).default(value),
    ]),
  );
  // The shape has exactly the names of the defaults, each a number.
  return z.strictObject(shape) as unknown as z.ZodType<Limits, Partial<Limits>>;
}

/** Limits of the listeners and of the load that is taken on. */
export interface LoadLimits extends ListenerLimits, GuardLimits {}

export const limitsSchema = numbersSchema<LoadLimits>({
  ...DEFAULT_LISTENER_LIMITS,
  ...DEFAULT_GUARD_LIMITS,
});

export const upstreamSchema = numbersSchema<UpstreamLimits>(DEFAULT_UPSTREAM_LIMITS);
