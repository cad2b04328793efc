/** Calls that must be refused, [name, call, message] each: a test for every one. */

import assert from "node:assert/strict";
import test from "node:test";

export function refused(Kind, table) {
  for (const [name, wrong, message] of table)
    test(name, () => {
      assert.throws(wrong, (error) => {
        assert.equal(error.constructor, Kind, error.stack);
        assert.match(error.message, message);
        return true;
      });
    });
}
