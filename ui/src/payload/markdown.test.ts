import { expect, test } from "vitest";

import { safeLink } from "./Markdown";

test.each([
  ["https://example.com/a", "https://example.com/a"],
  ["mailto:a@b.c", "mailto:a@b.c"],
  ["javascript:alert(1)", null],
  ["JaVaScRiPt:alert(1)", null],
  [" javascript:alert(1)", null],
  ["java\nscript:alert(1)", null],
  ["data:text/html,<script>1</script>", null],
  ["vbscript:x", null],
  ["/ui/api/sign-in", null],
  ["//example.com", null],
])("%j leads to %s", (address, to) => expect(safeLink(address)).toBe(to));
