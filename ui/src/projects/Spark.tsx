/** Volume over a window as small columns. */

import type { ReactNode } from "react";

export function Spark({ values, label }: { values: readonly number[]; label: string }): ReactNode {
  const most = Math.max(1, ...values);
  const width = 100 / values.length;
  return (
    <svg className="spark" viewBox="0 0 100 24" preserveAspectRatio="none" role="img" aria-label={label}>
      {values.map((value, at) => {
        const height = value === 0 ? 1 : Math.max(2, (22 * value) / most);
        return <rect key={at} className={value === 0 ? "none" : ""} x={at * width + 0.4} y={24 - height} width={width - 0.8} height={height} />;
      })}
    </svg>
  );
}
