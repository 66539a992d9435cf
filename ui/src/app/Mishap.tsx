/** What shows in the place of a page that broke while it was drawn; the rest of the frame stays. */

import { Component, type ReactNode } from "react";

import { Failure } from "../parts/Notice";

interface Props {
  /** Where it is: elsewhere it is tried anew. */
  place: string;
  children: ReactNode;
}

export class Mishap extends Component<Props, { error: unknown; broke: boolean }> {
  override state = { error: null, broke: false };

  static getDerivedStateFromError(error: unknown): { error: unknown; broke: boolean } {
    return { error, broke: true };
  }

  override componentDidUpdate(before: Props): void {
    if (this.state.broke && before.place !== this.props.place) this.setState({ error: null, broke: false });
  }

  override render(): ReactNode {
    if (!this.state.broke) return this.props.children;
    return <Failure error={this.state.error} retry={() => location.reload()} />;
  }
}
