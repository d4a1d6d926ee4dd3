/** Every limit of this folder, with its unit and the reason for its size. */

/** Milliseconds to wait for another process's write. A write takes single milliseconds; an import up to a second. */
export const BUSY_TIMEOUT_MS = 5000;

/** Versions kept per ruleset, the newest included: enough to go back weeks, bounded for scripts that write hourly. */
export const MAX_RULESET_VERSIONS = 100;

/** Audit entries kept in all. At 2 KB each the log stays near 200 MB at worst. */
export const MAX_AUDIT_ENTRIES = 100_000;

/** Bytes of JSON kept of each side of an audited change; longer values are replaced by their size. */
export const MAX_AUDIT_VALUE_BYTES = 16_384;
