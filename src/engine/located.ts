/** A request that has found its zone. */
import type { CanonicalHost, CanonicalPath, PathForms } from "../operation/index.ts";
import type { EngineRequest } from "./request.ts";
import type { EngineOptions } from "./types.ts";
import type { CompiledZone } from "./zone.ts";

/** A request with the zone that answers for it. */
export interface Located {
  readonly request: EngineRequest;
  readonly zone: CompiledZone;
  readonly host: CanonicalHost;
  readonly target: CanonicalPath;
  /** What rules see of the path, and what the origin receives. */
  readonly forms: PathForms;
  readonly options: EngineOptions;
}
