/** What a person reads after `stepgate start`: where it listens, where the token is, what to try. */
import { LOGIN_PATH } from "../demo/index.ts";
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
  if (zone !== undefined) lines.push("", ...tryLines(stepgate, zone), ...appLines(stepgate, zone));
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
  const { curl, base } = apiCurl(stepgate, zone);
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

function apiCurl(
  stepgate: RunningStepgate,
  { id }: RunningZone,
): { readonly curl: string; readonly base: string } {
  const curl = `${plainCurl(stepgate)} -H "Authorization: Bearer $(cat ${stepgate.tokenFile})"`;
  return { curl, base: `${stepgate.apiUrl}/zones/${id}` };
}

function plainCurl({ caFile }: RunningStepgate): string {
  return `curl -s${caFile === undefined ? "" : ` --cacert ${caFile}`}`;
}

/** The same rule for a client that keeps no cookies: the bank's mobile app, by the token that it signs in for. */
function appLines(stepgate: RunningStepgate, zone: RunningZone): readonly string[] {
  const { tokenConfigId, gatewayPort } = stepgate;
  if (tokenConfigId === undefined) return [];
  const { curl, base } = apiCurl(stepgate, zone);
  const bank = `https://${zone.name}:${gatewayPort}`;
  const json = '-H "Content-Type: application/json"';
  const app = `${plainCurl(stepgate)} -H "Authorization: Bearer $TOKEN"`;
  const identifiers = { auth_id_characteristics: [{ type: "jwt", name: `${tokenConfigId}:$.sub` }] };
  return [
    "",
    "The same for the bank's mobile app, which has a token and no cookies: name the session, and sign in:",
    "",
    `  ${curl} -X PUT ${base}/api_gateway/configuration --data '${JSON.stringify(identifiers)}'`,
    `  ${curl} -X PATCH ${base}/stepgate/settings --data '{"sequence":{"tracking":"both"}}'`,
    `  TOKEN=$(${plainCurl(stepgate)} -H "Accept: application/jwt" ${json} ${bank}${LOGIN_PATH} --data '{"user_id":"mara","pin":"2580"}')`,
    "",
    "Send the transfer, look at the balance, and send it again:",
    "",
    `  ${app} ${json} -H "Accept: application/json" ${bank}/api/v1/transferFunds --data '{"from":"40021001","to":"40021002","amount":100}'`,
    `  ${app} ${bank}/api/v1/accounts/40021001/balance`,
  ];
}
