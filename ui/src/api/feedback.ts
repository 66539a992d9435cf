/** Feedback keys and judgements, as the server answers them. */

export interface FeedbackKey {
  key: string;
  /** null for a key that is in use and has no config. */
  type: "continuous" | "categorical" | "freeform" | null;
  min?: number | null;
  max?: number | null;
  categories?: { value: number; label: string | null }[];
}

/** A judgement, whole: null empties. */
export interface Said {
  score: number | null;
  value: string | null;
  comment: string | null;
}
