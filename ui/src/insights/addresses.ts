/** Where reports are. */

import { toProject } from "../app/router";

export const toReports = (project: string): string => `${toProject(project)}/insights`;
export const toReport = (project: string, report: string, search = ""): string => `${toReports(project)}/${report}${search}`;
export const toCluster = (project: string, report: string, cluster: string): string => toReport(project, report, `?cluster=${cluster}`);
