/** Earlier versions of rulesets: https://developers.cloudflare.com/api/resources/rulesets/subresources/versions/ */
import { z } from "zod";
import type { Ruleset } from "../../ruleset/index.ts";
import { NO_CONTENT } from "../envelope.ts";
import type { Reply } from "../envelope.ts";
import { apiError } from "../errors.ts";
import { invalidValue } from "../issues.ts";
import { toSinglePage } from "../paging.ts";
import { HANDLER_DECIDES, route } from "../route.ts";
import type { Call, Route } from "../route.ts";
import { levelOf, requirePhase, rulesetRow } from "../ruleset-access.ts";
import { existing, headOf, okRuleset } from "../ruleset-writes.ts";
import { entrypointRow } from "../rulesets.ts";
import type { RulesetLevel } from "../rulesets.ts";
import { ruleset as rulesetShape, rulesetHead } from "../schemas/rulesets.ts";

export const rulesetVersionRoutes: readonly Route[] = (["zone", "account"] as const).flatMap(routesAt);

function routesAt(level: RulesetLevel["level"]): readonly Route[] {
  const base = `/${level}s/{${level}_id}/rulesets`;
  const byId = (call: Call): Ruleset =>
    rulesetRow(call, levelOf(call, level), { view: call.store, level: "Read" }).ruleset;
  const byPhase = (call: Call): Ruleset => {
    const place = levelOf(call, level);
    const phase = requirePhase(call, place, "Read");
    return existing(entrypointRow(call.store, place, phase), phase).ruleset;
  };
  const reading = [
    { versions: `${base}/{ruleset_id}/versions`, find: byId },
    { versions: `${base}/phases/{phase}/entrypoint/versions`, find: byPhase },
  ].flatMap(({ versions, find }) => [
    route("GET", {
      path: versions,
      summary: "List the kept versions of a ruleset",
      access: HANDLER_DECIDES,
      result: z.array(rulesetHead),
      run: (call) => toSinglePage(call.store.rulesetVersions(find(call).id).map(headOf)),
    }),
    route("GET", {
      path: `${versions}/{version}`,
      summary: "Get a version of a ruleset",
      access: HANDLER_DECIDES,
      result: rulesetShape,
      run: (call) => {
        const version = call.store.rulesetVersion(find(call).id, versionOf(call));
        if (version === undefined) throw noVersion();
        return okRuleset(version);
      },
    }),
  ]);
  return [
    ...reading,
    route("DELETE", {
      path: `${base}/{ruleset_id}/versions/{version}`,
      summary: "Forget an earlier version of a ruleset",
      access: HANDLER_DECIDES,
      run: (call) => forget(call, level),
    }),
  ];
}

function forget(call: Call, level: RulesetLevel["level"]): Reply {
  const { ruleset } = rulesetRow(call, levelOf(call, level), { view: call.store, level: "Write" });
  const version = versionOf(call);
  if (version === ruleset.version) {
    throw invalidValue("", version, "the latest version of a ruleset cannot be deleted", "not_changeable");
  }
  const exists = call.dryRun
    ? call.store.rulesetVersion(ruleset.id, version) !== undefined
    : call.store.deleteRulesetVersion(ruleset.id, version);
  if (!exists) throw noVersion();
  return NO_CONTENT;
}

function versionOf({ params }: Call): string {
  const version = params["version"] ?? "";
  if (!/^[1-9]\d{0,14}$/.test(version)) throw noVersion();
  return version;
}

const noVersion = (): Error =>
  apiError("no_version", "could not find ruleset version: there is no such version");
