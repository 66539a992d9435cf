/** A box of words that are asked for when they are sent, or emptied. */

import { type ReactNode, type RefObject, useEffect, useState } from "react";

interface Props {
  label: string;
  placeholder: string;
  /** What is asked for now. */
  asked: string;
  ask: (words: string | null) => void;
  box: RefObject<HTMLInputElement | null>;
}

export function SearchForm({ label, placeholder, asked, ask, box }: Props): ReactNode {
  const [words, setWords] = useState(asked);
  useEffect(() => setWords(asked), [asked]);
  return (
    <form
      role="search"
      onSubmit={(event) => {
        event.preventDefault();
        ask(words.trim());
      }}
    >
      <input
        ref={box}
        type="search"
        aria-label={label}
        placeholder={placeholder}
        value={words}
        onChange={(event) => {
          setWords(event.target.value);
          if (!event.target.value) ask(null);
        }}
      />
    </form>
  );
}
