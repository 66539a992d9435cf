/** What is done to many runs at once, and saved views, as the server answers them. */

export interface Place {
  id: string;
  name: string;
}

export interface Places {
  queues: Place[];
  datasets: Place[];
}

export interface Added extends Place {
  added: number;
}

export interface SavedView {
  id: string;
  name: string;
  filter: string;
  duration: string;
  since: number | null;
  until: number | null;
  shown: string | null;
  /** It has conditions that the page does not apply. */
  partial: boolean;
}
