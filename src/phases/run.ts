/** The one loop: rules of one phase in order, account before zone, until a terminating action. */
import type { CompiledRule } from "../ruleset/index.ts";
import type { HeaderEdit } from "./header-edits.ts";
import type { PreparedAction, PreparedRule, PreparedRuleset } from "./prepare.ts";
import { Skips } from "./skips.ts";
import { CONTINUE, statusOf } from "./types.ts";
import type { Decision, Hit, HitOutcome, PhaseInput, PreparedPhase, TerminalDecision } from "./types.ts";

/** What the phases of one request leave to each other. Changed while they run. */
export class RequestRun {
  /** `undefined` until a skip rule fires, which for most requests is never. */
  skips: Skips | undefined;
  /**
   * A rule of a ruleset on trial would have ended the request. Rulesets on trial are not asked any more, so that the
   * same rules match as without the trial; those in force go on.
   */
  simulatedEnd = false;
}

/** Header modifications of one phase, in the order of the rules. */
export interface PhaseResult {
  readonly decision: Decision;
  readonly edits: readonly HeaderEdit[];
}

/** Runs a phase other than `http_ratelimit`. */
export function runPhase(
  { phase, rulesets }: PreparedPhase,
  input: PhaseInput,
  run: RequestRun,
): PhaseResult {
  const edits: HeaderEdit[] = [];
  for (const prepared of rulesets) {
    const { ruleset } = prepared;
    if (run.skips?.hasRuleset(ruleset.id, phase, ruleset.kind) === true) continue;
    const end = runRuleset(prepared, { input, run, edits, isOnTrial: ruleset.simulate === true });
    if (end === "end_phase") break;
    if (typeof end === "object") return { decision: end, edits };
  }
  return { decision: CONTINUE, edits };
}

interface Walk {
  readonly input: PhaseInput;
  readonly run: RequestRun;
  readonly edits: HeaderEdit[];
  readonly isOnTrial: boolean;
}

/** How a rule leaves the walk: on to the next rule, out of the ruleset, out of the phase, or out of everything. */
type Step = "next" | "end_ruleset" | "end_phase" | TerminalDecision;

function runRuleset(prepared: PreparedRuleset, walk: Walk): Step {
  const { input, run } = walk;
  if (walk.isOnTrial && run.simulatedEnd) return "next";
  let end = "next" as Step;
  prepared.rules.match(input.values, input.currentOp, (match: CompiledRule<PreparedRule>) => {
    if (run.skips?.hasRule(match.rule.rule) === true) return false;
    end = runAction(match, prepared, walk);
    return end !== "next";
  });
  return end === "end_ruleset" ? "next" : end;
}

type ActionOf<Kind extends PreparedAction["kind"]> = Extract<PreparedAction, { readonly kind: Kind }>;

function runAction(match: CompiledRule<PreparedRule>, prepared: PreparedRuleset, walk: Walk): Step {
  const { rule, action } = match.rule;
  const { input, run, isOnTrial } = walk;
  const cause = stateErrorOf(match, input);
  const report = (outcome: HitOutcome, more: Pick<Hit, "detail" | "wouldBeStatus"> = {}): void =>
    input.onHit({ ruleset: prepared.ruleset, rule, outcome, ...cause, ...more });
  const terminate = (decision: TerminalDecision, outcome: HitOutcome = "applied", detail?: string): Step => {
    const more = detail === undefined ? {} : { detail };
    if (!isOnTrial) {
      report(outcome, more);
      return decision;
    }
    report("simulated", { ...more, wouldBeStatus: statusOf(decision) });
    run.simulatedEnd = true;
    return "end_ruleset";
  };
  switch (action.kind) {
    case "log":
      report("applied");
      return "next";
    case "block":
      return terminate({ kind: "block", rule, response: action.response });
    case "challenge":
      if (!input.isCleared()) return terminate({ kind: "challenge", rule });
      report("bypassed");
      return "next";
    case "skip":
      report("applied");
      run.skips ??= new Skips();
      run.skips.add(action.parameters, prepared.ruleset.kind);
      return skipStep(action);
    case "execute":
      return runExecuted(action, walk);
    case "rewrite": {
      const { edits, failures } = action.rewrite.resolve(input.values);
      walk.edits.push(...edits);
      report(...rewriteReport(failures));
      return "next";
    }
    case "redirect":
      return runRedirect({ rule, action }, { input, report, terminate });
  }
}

/** Why a rule matched that asks for a sequence which nobody knows. */
export function stateErrorOf(
  { asksHistory }: Pick<CompiledRule<PreparedRule>, "asksHistory">,
  { values }: PhaseInput,
): Pick<Hit, "isStateError"> {
  return asksHistory && values.isHistoryUnknown === true ? { isStateError: true } : {};
}

function rewriteReport(failures: readonly string[]): [HitOutcome, { readonly detail?: string }] {
  return failures.length === 0 ? ["applied", {}] : ["failed", { detail: failures.join("; ") }];
}

function skipStep({ parameters }: ActionOf<"skip">): Step {
  if (parameters.phase === "current") return "end_phase";
  return parameters.ruleset === "current" ? "end_ruleset" : "next";
}

/** The rules of a custom ruleset in the place of the rule that executes it; it leaves no event of its own. */
function runExecuted({ ruleset }: ActionOf<"execute">, walk: Walk): Step {
  const { run, input } = walk;
  const { id, phase, kind } = ruleset.ruleset;
  if (run.skips?.hasRuleset(id, phase, kind) === true) return "next";
  const isOnTrial = walk.isOnTrial || ruleset.ruleset.simulate === true;
  const end = runRuleset(ruleset, { run, input, edits: walk.edits, isOnTrial });
  return walk.isOnTrial && run.simulatedEnd ? "end_ruleset" : end;
}

interface RedirectHooks {
  readonly input: PhaseInput;
  readonly report: (outcome: HitOutcome, more: Pick<Hit, "detail">) => void;
  readonly terminate: (decision: TerminalDecision, outcome?: HitOutcome, detail?: string) => Step;
}

function runRedirect(
  { rule, action }: Pick<PreparedRule, "rule"> & { readonly action: ActionOf<"redirect"> },
  { input, report, terminate }: RedirectHooks,
): Step {
  const resolved = action.redirect.resolve(input.values, input.target());
  // A list that several rules share may have lost the item between the test and the look-up; there is no target then.
  if (resolved === undefined) return "next";
  const { status, target } = resolved;
  switch (target.kind) {
    case "location":
      return terminate(
        { kind: "redirect", rule, status, location: target.location },
        "applied",
        target.location,
      );
    case "loop":
      report("failed", { detail: "the target is the request's own address: not redirected" });
      return "next";
    case "unsafe":
      return terminate({ kind: "refuse", rule }, "failed", `the target was refused: ${target.reason}`);
  }
}
