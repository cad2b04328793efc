/** What libhabitus refuses, as a JavaScript error. */

const CODES = [undefined, "BAD_SHAPE", "BAD_VALUE", "BAD_INDEX", "BAD_ARGUMENT", "NO_MEMORY", "BAD_CPU"];

// habitus_error: int32 status, int64 row, int64 column, char message[256].
const SIZE = 280;
const ROW = 8;
const COLUMN = 16;
const MESSAGE = 24;

/** `code` says what kind of fault it is; `row` and `column`, from 0, where it is, null where none is to blame. */
export class HabitusError extends Error {
  constructor(code, message, { row = null, column = null, cause } = {}) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.row = row;
    this.column = column;
  }
}

Object.defineProperty(HabitusError.prototype, "name", { value: "HabitusError", configurable: true, writable: true });

/** Memory for one habitus_error. */
export function errorRecord() {
  return new Uint8Array(SIZE);
}

/** The error that a status and its record stand for, null for 0. */
export function errorOf(status, record) {
  if (status === 0) return null;
  const view = new DataView(record.buffer);
  const end = record.indexOf(0, MESSAGE);
  const message = new TextDecoder().decode(record.subarray(MESSAGE, end < 0 ? SIZE : end));
  return new HabitusError(CODES[status] ?? `STATUS_${status}`, message, {
    row: place(view.getBigInt64(ROW, true)),
    column: place(view.getBigInt64(COLUMN, true)),
  });
}

function place(number) {
  return number < 0n ? null : Number(number);
}
