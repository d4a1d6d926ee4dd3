/** Moments in queries. */
import { invalidValue } from "./issues.ts";

/** A day stands for its first moment, as `full-date` of RFC 3339. */
export function instantOf(field: string, text: string): number {
  const isDate = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:\d\d))?$/.test(text);
  const at = isDate ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(at)) {
    throw invalidValue(`/${field}`, text, "it must be a date or an instant of RFC 3339");
  }
  return at;
}
