import { expect, test } from "vitest";
import { membershipsOf, parseFilter } from "../../src/expression/index.ts";
import { schemeFor } from "../../src/ruleset/index.ts";

const FIELD = "cf.sequence.previous_ops";
const membersOf = (source: string): string[] | undefined => {
  const members = membershipsOf(parseFilter(source, schemeFor("http_request_firewall_custom")), FIELD);
  return members === undefined ? undefined : [...members].toSorted();
};

test.each([
  ['http.host eq "x"', []],
  ["true", []],
  [`any(${FIELD}[*] == "a")`, ["a"]],
  [`not any(${FIELD}[*] eq "a") and http.host eq "x"`, ["a"]],
  [`any(${FIELD}[*] in {"a" "b"}) or all(${FIELD}[*] ne "c")`, ["a", "b", "c"]],
  [`(any(${FIELD}[*] == "a") xor not (has_value(${FIELD}, "b")))`, ["a", "b"]],
])("%s asks for members only", (source, members) => {
  expect(membersOf(source)).toEqual(members);
});

test.each([
  `${FIELD}[0] == "a"`,
  `any(${FIELD}[*] != "a")`,
  `all(${FIELD}[*] == "a")`,
  `all(${FIELD}[*] in {"a"})`,
  `any(${FIELD}[*] contains "a")`,
  `any(starts_with(${FIELD}[*], "a"))`,
  `len(${FIELD}) ge 2`,
  `any(${FIELD}[*] == "a") and len(${FIELD}) ge 2`,
  `any(lower(${FIELD}[*])[*] == "a")`,
])("%s asks for more", (source) => {
  expect(membersOf(source)).toBeUndefined();
});
