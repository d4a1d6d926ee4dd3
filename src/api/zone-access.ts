/** The zone that a path names. */
import type { View, ZoneRow } from "../store/index.ts";
import { noObject } from "./errors.ts";

/** @throws {ApiError} `no_object` when it went between the access check and the write */
export function zoneOf(view: View, zoneId: string): ZoneRow {
  const zone = view.get("zones", zoneId);
  if (zone === undefined) {
    throw noObject(`/zones/${zoneId}`);
  }
  return zone;
}
