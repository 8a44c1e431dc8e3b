/** What stands in a cell; nothing for what is not known. */
export type CsvValue = string | number | null;

/** Writes rows as RFC 4180 has it: commas, quotes where they are needed, CRLF. The first row is the head. */
export function csv(head: readonly string[], rows: readonly (readonly CsvValue[])[]): string {
  return [head, ...rows].map((row) => row.map(cell).join(",") + "\r\n").join("");
}

/** A text that a spreadsheet would take for a formula is kept from being one. */
function cell(value: CsvValue): string {
  if (value === null) return "";
  if (typeof value === "number") return String(value);
  const text = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
