/** How sure a share is that was measured on few requests. */

/** Quantile of the normal distribution for 95 %. */
const Z = 1.96;

/**
 * Lower bound of the Wilson score interval at 95 % (E. B. Wilson, JASA 22, 1927).
 *
 * @param hits at most `total`
 * @returns 0 to `hits / total`; 0 when `total` is 0
 */
export function wilsonLowerBound(hits: number, total: number): number {
  if (total <= 0) return 0;
  const share = hits / total;
  const centre = share + (Z * Z) / (2 * total);
  const spread = Z * Math.sqrt((share * (1 - share) + (Z * Z) / (4 * total)) / total);
  return Math.max(0, (centre - spread) / (1 + (Z * Z) / total));
}
