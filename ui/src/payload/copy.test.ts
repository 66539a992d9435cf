import { expect, test } from "vitest";

import { asCurl, asPython } from "./copy";

test("a quote in an address cannot end the command", () => {
  expect(asCurl("http://x'$(rm)", "1", false)).toBe("curl -s 'http://x'\\''$(rm)/api/v1/runs/1'");
});
test("a key is asked for where one is needed", () => {
  expect(asCurl("http://x", "1", true)).toContain("x-api-key: $LANGSMITH_API_KEY");
  expect(asPython("http://x", "1", true)).not.toContain("anything");
  expect(asPython("http://x", "1", false)).toContain('api_key="anything"');
});
