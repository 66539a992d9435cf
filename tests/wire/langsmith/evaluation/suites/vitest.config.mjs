export default {
  test: { include: ["*.vitest.mjs"], reporters: ["langsmith/vitest/reporter"], cache: false, watch: false },
};
