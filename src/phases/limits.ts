/** Every limit of this folder, with its unit and the reason for its size. */

/** Bytes of a header value that an expression gives; half of what origins commonly take for all headers together. */
export const MAX_HEADER_VALUE_BYTES = 8192;

/** Bytes of a redirect's target: one of a list has up to 32 KB, and a request's query up to 32 KB behind it. */
export const MAX_LOCATION_BYTES = 65_536;

/** Segments of a path that a source with `subpath_matching` may have (the product's limit): the walk is as long. */
export const MAX_SUBPATH_SEGMENTS = 16;

/** Labels of a host name that are tried for `include_subdomains`: a DNS name has at most 127. */
export const MAX_HOST_LABELS = 127;
