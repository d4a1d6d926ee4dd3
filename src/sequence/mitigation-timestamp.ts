/** Times as the API writes them. */

const MS_PER_DAY = 86_400_000;

/** Days from 0000-03-01 to 1970-01-01: a year that begins in March has its leap day at the end. */
const DAYS_TO_EPOCH = 719_468;
const DAYS_PER_ERA = 146_097;
const YEARS_PER_ERA = 400;

/**
 * RFC 3339 in UTC with microseconds: `2023-07-24T12:06:51.796286Z`.
 *
 * @param epochMs epoch milliseconds, years 1970 to 9999; a fraction gives the microseconds
 */
export function microsecondTimestamp(epochMs: number): string {
  const wholeMs = Math.floor(epochMs);
  // Taken from the fraction alone: in microseconds the time would soon be beyond the exact whole numbers.
  const micros = Math.min(Math.round((epochMs - wholeMs) * 1000), 999);
  const days = Math.floor(wholeMs / MS_PER_DAY);
  const msOfDay = wholeMs - days * MS_PER_DAY;
  const seconds = Math.floor(msOfDay / 1000);
  const time = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60]
    .map((part) => digits(part, 2))
    .join(":");
  return `${dateOf(days)}T${time}.${digits(msOfDay % 1000, 3)}${digits(micros, 3)}Z`;
}

/** The proleptic Gregorian date (Howard Hinnant, "chrono-compatible low-level date algorithms", civil_from_days). */
function dateOf(daysSinceEpoch: number): string {
  const days = daysSinceEpoch + DAYS_TO_EPOCH;
  const era = Math.floor(days / DAYS_PER_ERA);
  const dayOfEra = days - era * DAYS_PER_ERA;
  const yearOfEra = Math.floor(
    (dayOfEra -
      Math.floor(dayOfEra / 1460) +
      Math.floor(dayOfEra / 36_524) -
      Math.floor(dayOfEra / 146_096)) /
      365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const monthFromMarch = Math.floor((5 * dayOfYear + 2) / 153);
  const day = dayOfYear - Math.floor((153 * monthFromMarch + 2) / 5) + 1;
  const month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9;
  const year = yearOfEra + era * YEARS_PER_ERA + (month <= 2 ? 1 : 0);
  return `${digits(year, 4)}-${digits(month, 2)}-${digits(day, 2)}`;
}

function digits(value: number, count: number): string {
  return String(value).padStart(count, "0");
}
