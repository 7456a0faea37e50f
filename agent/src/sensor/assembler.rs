//! Assembles lines from the bytes of a serial port: any line end, bounded memory, nothing torn taken for whole.

/// Collects bytes until a line is whole.
///
/// A line ends with CR LF, LF CR, CR or LF: the makers' manuals name more than one. What stands before the first end is
/// dropped, because it may be the second half of a line.
#[derive(Debug)]
pub struct Assembler {
    line: Vec<u8>,
    /// Longest line that is kept, in bytes.
    line_bytes_max: usize,
    /// The line is longer than any record: dropped at its end.
    is_overlong: bool,
    /// A first line end was seen.
    is_in_step: bool,
    /// CR and LF since the last other byte; a second pair is an empty line.
    ends: (u32, u32),
}

/// What was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found<'a> {
    /// A whole line without its end; may be empty.
    Line(&'a [u8]),
    /// A line that was too long to be one, dropped.
    Overlong,
}

impl Assembler {
    /// For a device whose lines are at most so long, in bytes.
    #[must_use]
    pub fn new(line_bytes_max: usize) -> Self {
        Self {
            line: Vec::with_capacity(line_bytes_max),
            line_bytes_max,
            is_overlong: false,
            is_in_step: false,
            ends: (0, 0),
        }
    }

    /// Forgets everything, as after opening the port: what comes may begin inside a line.
    pub fn clear(&mut self) {
        self.line.clear();
        self.is_overlong = false;
        self.is_in_step = false;
        self.ends = (0, 0);
    }

    /// Takes bytes and hands over what they complete.
    pub fn take(&mut self, bytes: &[u8], mut found: impl FnMut(Found<'_>)) {
        for byte in bytes {
            match byte {
                b'\r' => self.end((1, 0), &mut found),
                b'\n' => self.end((0, 1), &mut found),
                other => self.byte(*other),
            }
        }
    }

    fn byte(&mut self, byte: u8) {
        self.ends = (0, 0);
        if self.line.len() < self.line_bytes_max {
            self.line.push(byte);
        } else {
            self.is_overlong = true;
        }
    }

    fn end(&mut self, (cr, lf): (u32, u32), found: &mut impl FnMut(Found<'_>)) {
        let before = self.ends;
        self.ends = (before.0.saturating_add(cr), before.1.saturating_add(lf));
        let is_first = before == (0, 0);
        // Each further whole pair is an empty line. A single repeated sign is not: CR CR LF is sloppiness, not a line.
        let pairs = |ends: (u32, u32)| ends.0.min(ends.1);
        let is_further_pair = pairs(self.ends) > pairs(before) && pairs(self.ends) >= 2;
        if is_first || is_further_pair {
            if self.is_in_step {
                let found_now =
                    if self.is_overlong { Found::Overlong } else { Found::Line(&self.line) };
                found(found_now);
            }
            self.is_in_step = true;
            self.is_overlong = false;
            self.line.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn lines(chunks: &[&[u8]]) -> Vec<String> {
        let mut assembler = Assembler::new(128);
        let mut lines = Vec::new();
        for chunk in chunks {
            assembler.take(chunk, |found| {
                lines.push(match found {
                    Found::Line(line) => String::from_utf8_lossy(line).into_owned(),
                    Found::Overlong => "overlong".to_owned(),
                });
            });
        }
        lines
    }

    #[test]
    fn every_line_end_ends_a_line_once() {
        for end in ["\r\n", "\n\r", "\r", "\n", "\r\r\n"] {
            let text = format!("torn{end}a{end}b{end}c{end}");
            assert_eq!(lines(&[text.as_bytes()]), ["a", "b", "c"], "{end:?}");
        }
    }

    #[test]
    fn empty_lines_are_found_and_half_lines_are_not() {
        assert_eq!(lines(&[b"\r\na\r\n\r\n\r\nb\r\nhalf"]), ["a", "", "", "b"]);
        assert_eq!(lines(&[b"half of a line"]), Vec::<String>::new());
    }

    #[test]
    fn an_overlong_line_is_dropped_and_the_next_one_read() {
        let garbage = [b'x'; 5000];
        assert_eq!(lines(&[b"\n", &garbage, b"\r\nb\r\n"]), ["overlong", "b"]);
        let mut assembler = Assembler::new(128);
        assembler.take(&garbage, |_| {});
        assert!(assembler.line.capacity() <= 128);
    }

    proptest! {
        #[test]
        fn lines_do_not_depend_on_how_the_bytes_are_cut(
            bytes in proptest::collection::vec(prop_oneof![Just(b'\r'), Just(b'\n'), Just(b'a'), any::<u8>()], 0..300),
            cut in 1usize..20,
        ) {
            let whole = lines(&[&bytes]);
            let pieces: Vec<_> = bytes.chunks(cut).collect();
            prop_assert_eq!(whole, lines(&pieces));
        }
    }
}
