/** People as the server answers them. Times are microseconds since the epoch. */

export interface Member {
  id: string;
  name: string;
  email: string | null;
  role: string;
  created: number;
  /** null for who was invited and has not come yet. */
  joined: number | null;
  seen: number | null;
  /** Where a link is out: how long it may be used. */
  until: number | null;
  by: string | null;
  you: boolean;
}

export interface Listed extends Member {
  /** Of programs; not those of browsers. */
  keys: number;
}

/** With the token of a new link, which no other answer has. */
export interface Invited extends Member {
  token: string;
}

export interface Invitation {
  workspace: string;
  name: string;
  role: string;
  by: string | null;
  until: number;
  /** They were in before: a new sign-in. */
  back: boolean;
  /** Why nobody can join now. */
  problem: string | null;
}

/** The token stays behind the #, which no server and no log gets to see. */
export const linkOf = (url: string, token: string): string => `${url}/ui/join#${token}`;
