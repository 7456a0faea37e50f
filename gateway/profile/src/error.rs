//! Why a profile is refused: every problem with its line, its key, what is wrong, what to do.

use std::fmt;

/// One thing that is wrong in a profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Line, counted from 1.
    pub line: usize,
    /// Column in characters, counted from 1.
    pub column: usize,
    /// The key, such as `limit.delay_s`; empty where the text is no TOML.
    pub key: String,
    /// What is wrong.
    pub what: String,
    /// What to do.
    pub todo: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}: ", self.line, self.column)?;
        if !self.key.is_empty() {
            write!(formatter, "{}: ", self.key)?;
        }
        write!(formatter, "{}; {}", self.what, self.todo)
    }
}

/// A profile that is refused. It holds every problem that was found, in the order of the text: never none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", lines(.problems))]
pub struct ProfileError {
    problems: Vec<Problem>,
}

impl ProfileError {
    /// Everything that is wrong, in the order of the text.
    #[must_use]
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }
}

fn lines(problems: &[Problem]) -> String {
    problems.iter().map(Problem::to_string).collect::<Vec<_>>().join("\n")
}

/// What has been found wrong so far, by place in the text.
#[derive(Debug, Default)]
pub(crate) struct Problems {
    found: Vec<(usize, Problem)>,
}

impl Problems {
    /// Notes a problem at a byte of the text.
    pub(crate) fn add(
        &mut self,
        at: usize,
        key: impl Into<String>,
        what: impl Into<String>,
        todo: impl Into<String>,
    ) {
        let (key, what, todo) = (key.into(), what.into(), todo.into());
        self.found.push((at, Problem { line: 0, column: 0, key, what, todo }));
    }

    /// Whether nothing is wrong.
    pub(crate) fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// The refusal.
    pub(crate) fn into_error(mut self, text: &str) -> ProfileError {
        if self.is_empty() {
            self.add(0, "", "cannot be used", "compare with neonatal-starter.toml");
        }
        self.found.sort_by_key(|(at, _problem)| *at);
        let place = |(at, problem)| {
            let (line, column) = line_and_column(text, at);
            Problem { line, column, ..problem }
        };
        ProfileError { problems: self.found.into_iter().map(place).collect() }
    }
}

/// Line and column of a byte, both counted from 1.
fn line_and_column(text: &str, at: usize) -> (usize, usize) {
    let before = text.get(..at).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let start = before.rfind('\n').map_or(0, |end| end + 1);
    (line, before.get(start..).unwrap_or_default().chars().count() + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_counted_in_lines_and_characters() {
        let text = "a = 1\nµµ = 2\n";
        let second = text.find("= 2").unwrap();
        assert_eq!(line_and_column(text, 0), (1, 1));
        assert_eq!(line_and_column(text, second), (2, 4));
        assert_eq!(line_and_column(text, 1_000), (3, 1));
    }

    #[test]
    fn problems_are_told_in_the_order_of_the_text_one_a_line() {
        let text = "a = 1\nb = 2\n";
        let mut problems = Problems::default();
        problems.add(6, "b", "two", "do that");
        problems.add(0, "", "one", "do this");
        let error = problems.into_error(text);
        assert_eq!(error.to_string(), "1:1: one; do this\n2:1: b: two; do that");
        assert_eq!(error.problems().len(), 2);
        assert_eq!(Problems::default().into_error(text).problems().len(), 1);
    }
}
