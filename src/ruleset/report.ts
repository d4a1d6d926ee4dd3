/** Collects what is wrong with a JSON value while it is walked. */
import type { RulesetIssue, RulesetIssueKind } from "./issues.ts";

export type JsonObject = Readonly<Record<string, unknown>>;

/** One place in the checked value. */
export class Place {
  readonly value: unknown;
  readonly #issues: RulesetIssue[];
  readonly #base: Place | string;
  readonly #part: string | number | undefined;

  /**
   * @param base place that this one is a part of, or the pointer of the whole
   * @param part name or index in it
   */
  constructor(issues: RulesetIssue[], value: unknown, base: Place | string = "", part?: string | number) {
    this.#issues = issues;
    this.value = value;
    this.#base = base;
    this.#part = part;
  }

  /** JSON pointer of the place; put together only when there is something to say about it. */
  get pointer(): string {
    const base = typeof this.#base === "string" ? this.#base : this.#base.pointer;
    if (this.#part === undefined) return base;
    return `${base}/${String(this.#part).replaceAll("~", "~0").replaceAll("/", "~1")}`;
  }

  /** The place of a member; its value is `undefined` when this is no object or has no such own member. */
  member(name: string): Place {
    const holder = asObject(this.value);
    const value = holder !== undefined && Object.hasOwn(holder, name) ? holder[name] : undefined;
    return this.#at(name, value);
  }

  /** The places of the items; none when this is no array. */
  items(): readonly Place[] {
    return Array.isArray(this.value) ? this.value.map((item, index) => this.#at(index, item)) : [];
  }

  /** The places of all own members with their names. */
  members(): readonly (readonly [string, Place])[] {
    const holder = asObject(this.value);
    return Object.entries(holder ?? {}).map(([name, value]) => [name, this.#at(name, value)]);
  }

  get isPresent(): boolean {
    return this.value !== undefined;
  }

  report(reason: string, kind: RulesetIssueKind = "invalid", place?: RulesetIssue["place"]): undefined {
    this.#issues.push({
      kind,
      pointer: this.pointer,
      value: this.value === undefined ? "" : this.value,
      reason,
      ...(place === undefined ? {} : { place }),
    });
    return undefined;
  }

  string({ min = 0, max, required = true }: StringRule): string | undefined {
    if (!this.#has(required, "a string")) return undefined;
    const { value } = this;
    if (typeof value !== "string") return this.report("expected a string");
    if (value.length < min) return this.report(`it must have at least ${min} characters`);
    if (value.length > max) return this.report(`it must have at most ${max} characters`);
    return value;
  }

  integer({ min, max, required = true }: NumberRule): number | undefined {
    if (!this.#has(required, "an integer")) return undefined;
    const { value } = this;
    if (typeof value !== "number" || !Number.isSafeInteger(value)) return this.report("expected an integer");
    if (value < min || value > max) return this.report(`it must be from ${min} to ${max}`);
    return value;
  }

  boolean(): boolean | undefined {
    if (this.value === undefined) return undefined;
    return typeof this.value === "boolean" ? this.value : this.report("expected true or false");
  }

  /** One of a few values. */
  oneOf<const Value extends string | number>(
    values: readonly Value[],
    { required = true }: { readonly required?: boolean } = {},
  ): Value | undefined {
    const list = values.map((value) => `\`${value}\``).join(", ");
    if (!this.#has(required, `one of ${list}`)) return undefined;
    return values.find((value) => value === this.value) ?? this.report(`it must be one of ${list}`);
  }

  object({ required = true }: { readonly required?: boolean } = {}): JsonObject | undefined {
    if (!this.#has(required, "an object")) return undefined;
    return asObject(this.value) ?? this.report("expected an object");
  }

  array({ min = 0, max }: { readonly min?: number; readonly max: number }): readonly Place[] | undefined {
    if (!this.#has(true, "an array")) return undefined;
    if (!Array.isArray(this.value)) return this.report("expected an array");
    if (this.value.length < min) return this.report(`it must have at least ${min} items`);
    if (this.value.length > max) return this.report(`it must have at most ${max} items`);
    return this.items();
  }

  /** Reports every member that is not listed: `why` completes "it has the member `x`, …". */
  onlyMembers(names: readonly string[], why: string): void {
    for (const [name, place] of this.members()) {
      if (!names.includes(name)) place.report(why, "parameters");
    }
  }

  #has(required: boolean, expected: string): boolean {
    if (this.value !== undefined) return true;
    if (required) this.report(`it is required; expected ${expected}`, "missing");
    return false;
  }

  #at(part: string | number, value: unknown): Place {
    return new Place(this.#issues, value, this, part);
  }
}

interface StringRule {
  readonly min?: number;
  readonly max: number;
  readonly required?: boolean;
}

interface NumberRule {
  readonly min: number;
  readonly max: number;
  readonly required?: boolean;
}

function asObject(value: unknown): JsonObject | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as JsonObject)
    : undefined;
}
