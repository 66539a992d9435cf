/** The insights of a project: its reports, or one of them. Loaded when somebody looks at it. */

import "../style/insights.css";

import type { ReactNode } from "react";

import { ReportList } from "./ReportList";
import { ReportPage } from "./ReportPage";

export default function InsightsTab({ project, report }: { project: string; report: string | null }): ReactNode {
  return report ? <ReportPage key={report} project={project} id={report} /> : <ReportList project={project} />;
}
