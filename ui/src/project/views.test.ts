import { expect, test } from "vitest";

import { changed } from "../app/router";
import { applied, isShown, saved } from "./views";

const COLUMNS = ["name", "cost"];
const view = (params: string) => ({ id: "1", name: "v", partial: false, ...saved(new URLSearchParams(params), COLUMNS) });

test.each(["", "filter=eq(name,%22x%22)&range=1h", "tab=runs&q=refund&range=all", "since=5&until=9&filter=gt(latency,1)"])("%j comes back as it was saved", (params) => {
  const one = view(params);
  const back = new URLSearchParams(changed(new URLSearchParams("filter=other&thread=7&q=else"), applied(one)));
  expect(back.get("thread")).toBe("7");
  expect(back.get("cols")).toBe("name,cost");
  back.delete("thread");
  expect(saved(back, COLUMNS)).toEqual(saved(new URLSearchParams(params), COLUMNS));
  expect(isShown(one, back, COLUMNS)).toBe(true);
  back.set("q", "something else");
  expect(isShown(one, back, COLUMNS)).toBe(false);
});

test("a view of LangSmith's clients has a filter and no columns", () => {
  const one = { id: "1", name: "v", filter: "gt(latency, 5)", duration: "", since: null, until: null, shown: null, partial: true };
  expect(applied(one)).toEqual({ tab: null, q: null, cols: null, filter: "gt(latency, 5)", range: null, since: null, until: null });
  expect(isShown(one, new URLSearchParams({ filter: "gt(latency, 5)" }), COLUMNS)).toBe(true);
});
