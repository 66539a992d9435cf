/** Everything below /ui/queues: the list, one queue, a reviewer's view of it. Loaded when somebody goes there. */

import "../style/queues.css";

import type { ReactNode } from "react";

import { QueueList } from "./QueueList";
import { QueuePage } from "./QueuePage";
import { ReviewPage } from "./ReviewPage";

export default function QueuesArea({ path }: { path: string }): ReactNode {
  const [, , , id, room, item] = path.split("/");
  if (!id) return <QueueList />;
  if (room === "review") return <ReviewPage key={id} queue={id} item={item || null} />;
  return <QueuePage key={id} id={id} />;
}
