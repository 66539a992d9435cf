/** Who is looking, and at which server. Known to everything inside. */

import { createContext, useContext } from "react";

import type { Me } from "../api/types";

export const MeContext = createContext<Me | null>(null);

export function useMe(): Me {
  const me = useContext(MeContext);
  return me ?? { auth: "keys", role: "", may: [], name: null, member: null, workspace: "", url: location.origin };
}
