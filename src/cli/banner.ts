/** What a person reads after `stepgate start`: where it listens, where the token is, what to try. */
import type { RunningStepgate, RunningZone } from "./start.ts";

export function printBanner(stepgate: RunningStepgate, print: (line: string) => void): void {
  for (const line of bannerLines(stepgate)) print(line);
}

function bannerLines(stepgate: RunningStepgate): readonly string[] {
  const port = stepgate.gatewayPort === 443 ? "" : `:${stepgate.gatewayPort}`;
  const lines = ["", "Stepgate is running.", ""];
  for (const zone of stepgate.zones) {
    for (const host of zone.hosts) {
      lines.push(`  gateway  https://${host}${port}  →  ${stepgate.demo ? "the demo bank" : zone.origin}`);
    }
  }
  lines.push(`  api      ${stepgate.apiUrl}`, `  token    ${stepgate.tokenFile}`);
  if (stepgate.caFile !== undefined) {
    lines.push(`  ca       ${stepgate.caFile}  (trust it in your browser, or accept its warning once)`);
  }
  for (const zone of stepgate.zones) lines.push("", ...zoneLines(zone));
  const [zone] = stepgate.zones;
  if (zone !== undefined) lines.push("", ...tryLines(stepgate, zone));
  return [...lines, ""];
}

function zoneLines(zone: RunningZone): readonly string[] {
  return [
    `  zone ${zone.name}  ${zone.id}`,
    ...zone.operations.map(
      ({ method, endpoint, shortId }) => `    ${shortId}  ${method.padEnd(6)} ${endpoint}`,
    ),
  ];
}

/** Commands to paste, for the demo's own operations where they exist. */
function tryLines(stepgate: RunningStepgate, zone: RunningZone): readonly string[] {
  const curl = `curl -s${stepgate.caFile === undefined ? "" : ` --cacert ${stepgate.caFile}`} -H "Authorization: Bearer $(cat ${stepgate.tokenFile})"`;
  const base = `${stepgate.apiUrl}/zones/${zone.id}`;
  const lines = [
    "Turn sequence cookies on:",
    "",
    `  ${curl} -X PUT ${base}/fraud_detection/sequence_cookies --data '{"enabled":true}'`,
  ];
  const transfer = zone.operations.find(({ endpoint }) => endpoint.endsWith("/transferFunds"));
  const balance = zone.operations.find(({ endpoint }) => endpoint.endsWith("/balance"));
  if (transfer === undefined || balance === undefined) return lines;
  const expression = `cf.sequence.current_op eq "${transfer.shortId}" and not any(cf.sequence.previous_ops[*] == "${balance.shortId}")`;
  const rules = {
    rules: [{ description: "transfer needs a look at the balance", expression, action: "block" }],
  };
  return [
    ...lines,
    "",
    "Refuse a transfer without a look at the balance before it:",
    "",
    `  ${curl} -X PUT ${base}/rulesets/phases/http_request_firewall_custom/entrypoint --data '${JSON.stringify(rules)}'`,
  ];
}
