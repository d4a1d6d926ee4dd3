/** Operations as OpenAPI documents, one for each host. */
import type { Operation } from "../operation/index.ts";

export type DocumentedOperation = Pick<Operation, "id" | "method" | "host" | "endpoint">;

export function toOpenApiDocuments(operations: readonly DocumentedOperation[], description: string) {
  const byHost = Map.groupBy(operations, ({ host }) => host);
  const hosts = [...byHost.keys()].toSorted();
  return hosts.map((host) => toDocument(host, byHost.get(host) ?? [], description));
}

/** CONNECT is no method of a path item in OpenAPI 3.0: its operations are left out. */
function toDocument(host: string, operations: readonly DocumentedOperation[], description: string) {
  const paths: Record<string, Record<string, unknown>> = Object.create(null) as Record<string, never>;
  const sorted = operations.toSorted((left, right) => (sortKey(left) < sortKey(right) ? -1 : 1));
  for (const operation of sorted) {
    if (operation.method === "CONNECT") continue;
    const item = (paths[operation.endpoint] ??= {});
    item[operation.method.toLowerCase()] = toPathOperation(operation);
  }
  return {
    openapi: "3.0.0",
    info: {
      title: `Schema of ${host}`,
      description,
      version: "1.0.0",
    },
    servers: [toServer(host)],
    paths,
  };
}

const sortKey = ({ endpoint, method }: DocumentedOperation): string => `${endpoint} ${method}`;

function toPathOperation({ id, endpoint }: DocumentedOperation) {
  const parameters = [...endpoint.matchAll(/\{(var\d+)\}/g)].map(([, name]) => ({
    name,
    in: "path",
    required: true,
    schema: { type: "string" },
  }));
  return {
    operationId: id,
    ...(parameters.length === 0 ? {} : { parameters }),
    responses: { default: { description: "any response" } },
  };
}

/** Variable labels of a host are variables of the server; OpenAPI wants a default for each. */
function toServer(host: string) {
  const names = [...host.matchAll(/\{(hostVar\d+)\}/g)].map(([, name]) => name ?? "");
  const variables = Object.fromEntries(names.map((name) => [name, { default: "www" }]));
  return { url: `https://${host}`, ...(names.length === 0 ? {} : { variables }) };
}
