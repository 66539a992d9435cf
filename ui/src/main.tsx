import "uplot/dist/uPlot.min.css";
import "./style/tokens.css";
import "./style/base.css";
import "./style/tables.css";
import "./style/trace.css";
import "./style/project.css";
import "./style/feedback.css";
import "./style/settings.css";
import "./style/conversations.css";

import { StrictMode } from "react";
import { createRoot } from "react-dom/client";

import { App } from "./app/App";
import { applyTheme } from "./app/theme";
import { loadAnewWhenUpgraded } from "./app/upgraded";

applyTheme();
loadAnewWhenUpgraded();
createRoot(document.getElementById("root")!).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
