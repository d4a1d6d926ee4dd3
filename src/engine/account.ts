/** What the zones of an account share, made ready: lists, and the rulesets of its entry points. */
import { createListCompiler, NO_LISTS, prepareRuleset } from "../phases/index.ts";
import type { CompiledLists, PreparedRuleset } from "../phases/index.ts";
import type { Phase, Ruleset } from "../ruleset/index.ts";
import type { Account } from "./snapshot.ts";

export interface CompiledAccount {
  readonly account: Account | undefined;
  readonly lists: CompiledLists;
  /** Entry points of kind `root`, by phase. */
  readonly roots: ReadonlyMap<Phase, PreparedRuleset>;
  /** Everything prepared for this account, by ruleset: what stays the same is prepared once. */
  readonly prepared: ReadonlyMap<Ruleset, PreparedRuleset>;
  readonly compileLists: ReturnType<typeof createListCompiler>;
}

/** For zones whose account is not in the snapshot. */
export const NO_ACCOUNT: CompiledAccount = {
  account: undefined,
  lists: NO_LISTS,
  roots: new Map(),
  prepared: new Map(),
  compileLists: createListCompiler(),
};

/**
 * @param previous the same account as it was before, whose unchanged parts are kept as they are
 * @throws {PrepareError} for a ruleset that cannot be used
 */
export function compileAccount(account: Account, previous: CompiledAccount | undefined): CompiledAccount {
  if (previous?.account === account) return previous;
  const compileLists = previous?.compileLists ?? createListCompiler();
  const sameLists = previous?.account?.lists === account.lists && previous !== undefined;
  const lists = sameLists ? previous.lists : compileLists(account.lists);
  const prepared = new Map<Ruleset, PreparedRuleset>();
  const byId = new Map(account.rulesets.map((ruleset) => [ruleset.id, ruleset]));
  const prepare = (ruleset: Ruleset): PreparedRuleset => {
    let ready = prepared.get(ruleset);
    if (ready === undefined) {
      const before = previous?.prepared.get(ruleset);
      const canStay = (sameLists || !namesLists(ruleset)) && !executes(ruleset);
      const context = {
        lists,
        customRuleset: (id: string) => {
          const custom = byId.get(id);
          const fits = custom?.kind === "custom" && custom.phase === ruleset.phase;
          return fits && ruleset.kind === "root" ? prepare(custom) : undefined;
        },
      };
      ready = before !== undefined && canStay ? before : prepareRuleset(ruleset, context);
      prepared.set(ruleset, ready);
    }
    return ready;
  };
  const roots = account.rulesets.filter(({ kind }) => kind === "root");
  return {
    account,
    lists,
    roots: new Map(roots.map((ruleset) => [ruleset.phase, prepare(ruleset)])),
    prepared,
    compileLists,
  };
}

/** Whether rules may have to be prepared again when a list changes; errs on the side of yes. */
export function namesLists({ rules }: Ruleset): boolean {
  const text = JSON.stringify(rules);
  return text.includes("$") || text.includes('"from_list"');
}

/** What an entry point executes may have changed without it; entry points that execute have few rules. */
function executes({ rules }: Ruleset): boolean {
  return rules.some(({ action }) => action === "execute");
}
