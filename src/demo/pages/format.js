/** Money, times and account numbers as people write them. */

const euros = new Intl.NumberFormat("en-IE", { style: "currency", currency: "EUR" });
const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const day = new Intl.DateTimeFormat("en-GB", {
  day: "numeric",
  month: "long",
  year: "numeric",
  timeZone: "UTC",
});

/** @param {number} cents */
export const formatMoney = (cents) => euros.format(cents / 100);

/** @param {Date} date */
export const formatTime = (date) => clock.format(date);

/** @param {string} isoDate */
export const formatDay = (isoDate) => day.format(new Date(isoDate));

/** @param {string} accountId eight digits */
export const formatAccount = (accountId) => `${accountId.slice(0, 4)} ${accountId.slice(4)}`;

/**
 * Reads an amount without going through binary fractions: `25`, `25.5`, `25,50`.
 *
 * @param {string} text
 * @returns {number | undefined} cents; undefined when it is no positive amount with at most two decimals
 */
export function parseAmount(text) {
  const match = /^(\d{1,7})(?:[.,](\d{1,2}))?$/.exec(text.trim());
  if (match === null) return undefined;
  const cents = Number(match[1]) * 100 + Number((match[2] ?? "").padEnd(2, "0"));
  return cents > 0 ? cents : undefined;
}
