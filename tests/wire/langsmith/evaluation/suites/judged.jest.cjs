// A suite as LangSmith's users write them for Jest. The test that drives it sets SUITE to the name of its dataset.
const ls = require("langsmith/jest");

const correct = ({ outputs, referenceOutputs }) => ({
  key: "correct",
  score: outputs.a === referenceOutputs.a,
});

ls.describe(
  process.env.SUITE,
  () => {
    ls.test("right", { inputs: { q: 1 }, referenceOutputs: { a: 2 }, split: "easy" }, async ({ inputs, referenceOutputs }) => {
      const outputs = { a: inputs.q + 1 };
      ls.logOutputs(outputs);
      ls.logFeedback({ key: "length", score: 0.5 });
      await ls.wrapEvaluator(correct)({ outputs, referenceOutputs });
      ls.expect(outputs).toEqual(referenceOutputs);
    });

    ls.test("wrong", { inputs: { q: 2 }, referenceOutputs: { a: 3 } }, ({ inputs, referenceOutputs }) => {
      ls.logOutputs({ a: inputs.q });
      ls.expect({ a: inputs.q }).toEqual(referenceOutputs);
    });

    ls.test("twice", { inputs: { q: 5 }, referenceOutputs: { a: 6 }, config: { repetitions: 2 } }, () => ({ a: 6 }));

    ls.test.each([
      { inputs: { q: 3 }, referenceOutputs: { a: 4 } },
      { inputs: { q: 4 }, referenceOutputs: { a: 5 }, metadata: { hard: true } },
    ])("each", async ({ inputs, referenceOutputs }) => {
      await ls.expect({ a: inputs.q + 1 }).evaluatedBy(correct).toBe(true);
      return { a: inputs.q + 1 };
    });

    ls.test.skip("skipped", { inputs: { q: 9 }, referenceOutputs: { a: 9 } }, () => {
      throw new Error("this never runs");
    });
  },
  { metadata: { runner: "jest" } },
);
