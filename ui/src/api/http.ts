/** Calls of the page's API. A refusal is a Refused, which says what the server said. */

const BASE = "/ui/api";

export class Refused extends Error {
  constructor(
    message: string,
    readonly status: number,
    readonly position: number | null = null,
  ) {
    super(message);
  }
}

export async function ask<T>(path: string, options: { method?: string; body?: unknown; signal?: AbortSignal } = {}): Promise<T> {
  const { method, body, signal } = options;
  let answer: Response;
  try {
    answer = await fetch(BASE + path, {
      method: method ?? (body === undefined ? "GET" : "POST"),
      ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { "content-type": "application/json" } }),
      ...(signal ? { signal } : {}),
      credentials: "same-origin",
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new Refused("The server cannot be reached.", 0);
  }
  if (!answer.ok) {
    const told = (await answer.json().catch(() => null)) as { message?: string; position?: number | null } | null;
    throw new Refused(told?.message ?? `The server answered ${answer.status}.`, answer.status, told?.position ?? null);
  }
  return (await answer.json()) as T;
}

/** A payload as it was sent. */
export async function text(path: string): Promise<string> {
  const answer = await fetch(BASE + path, { credentials: "same-origin" });
  if (!answer.ok) throw new Refused(`The server answered ${answer.status}.`, answer.status);
  return answer.text();
}

/** What a question with a body is answered with, as a file. */
export async function file(path: string, body: unknown): Promise<Blob> {
  const answer = await fetch(BASE + path, { method: "POST", body: JSON.stringify(body), headers: { "content-type": "application/json" }, credentials: "same-origin" });
  if (!answer.ok) {
    const told = (await answer.json().catch(() => null)) as { message?: string } | null;
    throw new Refused(told?.message ?? `The server answered ${answer.status}.`, answer.status);
  }
  return answer.blob();
}

export const apiUrl = (path: string): string => BASE + path;
