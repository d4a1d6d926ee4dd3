/** Right sides that are stepped over, to look for further mistakes behind them. */
import { SyntaxFault, type Cursor } from "./cursor.ts";
import { lexPattern } from "./lex-pattern.ts";
import { lexString } from "./lex-string.ts";
import type { ComparisonOperator } from "./operators.ts";

/** Whether a right side of any type stands here, which is then stepped over. */
export function isSkipped(cursor: Cursor, operator: ComparisonOperator): boolean {
  try {
    skipOperand(cursor, operator);
    return true;
  } catch (error) {
    if (error instanceof SyntaxFault) {
      return false;
    }
    throw error;
  }
}

/** Steps over a right side whose type is unknown. */
export function skipOperand(cursor: Cursor, operator: ComparisonOperator): void {
  if (operator.kind === "matches") {
    lexPattern(cursor);
  } else if (cursor.accept("{")) {
    cursor.skipSpace();
    while (!cursor.accept("}")) {
      skipLiteral(cursor);
      cursor.accept(",");
      cursor.skipSpace();
    }
  } else {
    skipLiteral(cursor);
  }
}

function skipLiteral(cursor: Cursor): void {
  if (cursor.startsWith('"') || cursor.startsWith('r"') || cursor.startsWith("r#")) {
    lexString(cursor);
  } else if (cursor.takeWhile(isLiteralUnit) === "") {
    throw cursor.fault("expected_name", `expected a literal, found ${cursor.found()}`);
  }
}

/** Characters of numbers, addresses, hex pairs and list names. */
function isLiteralUnit(unit: number): boolean {
  return /[\w$./:-]/.test(String.fromCharCode(unit));
}
