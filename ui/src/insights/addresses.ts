/** Where reports are. */

import { toProject } from "../app/router";

/** The cluster's traces in the project's own table, as a filter that can go on being edited. */
export const toFiltered = (project: string, cluster: string): string => toProject(project, `?range=all&filter=${encodeURIComponent(`eq(cluster_id, "${cluster}")`)}`);

export const toReports = (project: string): string => `${toProject(project)}/insights`;
export const toReport = (project: string, report: string, search = ""): string => `${toReports(project)}/${report}${search}`;
export const toCluster = (project: string, report: string, cluster: string): string => toReport(project, report, `?cluster=${cluster}`);
