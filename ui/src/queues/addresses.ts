/** Where queues are. */

export const QUEUES = "/ui/queues";
export const toQueue = (id: string, search = ""): string => `${QUEUES}/${id}${search}`;
export const toReview = (id: string, item?: string): string => `${QUEUES}/${id}/review${item ? `/${item}` : ""}`;
