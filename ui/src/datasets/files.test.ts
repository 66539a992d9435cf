import { describe, expect, it } from "vitest";

import { fromLines, fromTable, likely, membersOf, readCsv } from "./files";

describe("CSV", () => {
  it("reads quotes, line breaks within cells, and any line break", () => {
    const table = readCsv('\ufeffquestion,answer\r\n"a, ""b""\nc",1\rlast,\n');
    expect(table).toEqual({ columns: ["question", "answer"], rows: [['a, "b"\nc', "1"], ["last", ""]] });
  });

  it("says what is wrong, and where", () => {
    expect(() => readCsv("")).toThrow("empty");
    expect(() => readCsv("a,b\n")).toThrow("nothing below");
    expect(() => readCsv("a,b\n1,2\n1\n")).toThrow("Line 3 has 1 cells, and the header has 2");
    expect(() => readCsv('a\n"b')).toThrow("not closed");
    expect(() => readCsv("a,a\n1,2")).toThrow('Two columns are called "a"');
  });

  it("guesses what columns are for, and takes what was chosen", () => {
    expect(["question", "expected_answer", "inputs.q", "metadata.lang", "id", "Ground_Truth"].map(likely)).toEqual(["inputs", "outputs", "inputs", "metadata", "leave out", "outputs"]);
    const table = readCsv('inputs.q,list,answer\n\'=1+1,"[1, 12345678901234567890]",yes');
    expect(fromTable(table, ["inputs", "metadata", "outputs"])).toEqual([{ inputs: '{"q":"=1+1"}', metadata: '{"list":[1, 12345678901234567890]}', outputs: '{"answer":"yes"}' }]);
    expect(() => fromTable(table, ["metadata", "metadata", "outputs"])).toThrow("at least one column for the inputs");
    expect(() => fromTable(readCsv("q,inputs.q\n1,2"), ["inputs", "inputs"])).toThrow('the member "q"');
  });
});

describe("JSON lines", () => {
  it("keeps what is written, whole examples and bare inputs", () => {
    const text = '{"inputs": {"n": 12345678901234567890, "t": "}\\",{"}, "outputs": null, "metadata": {"a": [1]}}\n\n{"question": "x"}\r\n';
    expect(fromLines(text)).toEqual([{ inputs: '{"n": 12345678901234567890, "t": "}\\",{"}', metadata: '{"a": [1]}' }, { inputs: '{"question": "x"}' }]);
  });

  it("names the line that is no object", () => {
    expect(() => fromLines('{"inputs": {}}\n[1]')).toThrow("Line 2");
    expect(() => fromLines("")).toThrow("no lines");
  });

  it("finds members whatever they are called", () => {
    expect(membersOf('{"__proto__": 1, "a\\"b": [{"c": ","}] , "": ""}')).toEqual(Object.assign(Object.create(null), { ["__proto__"]: "1", 'a"b': '[{"c": ","}]', "": '""' }));
    expect(membersOf("[]")).toBeNull();
    expect(membersOf("{}")).toEqual(Object.create(null));
  });
});
