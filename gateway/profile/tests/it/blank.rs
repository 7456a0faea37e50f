//! The blank console profile: refused until a person has filled it, and in step with the starter.

use ecmo_profile::{STARTER, parse};

const BLANK: &str = include_str!("../../../../deploy/config/profiles/blank.toml");

const NOT_FILLED_IN: &str = "\"?\"";

/// Lines that are not only a comment.
fn lines(text: &str) -> Vec<&str> {
    text.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#')).collect()
}

#[test]
fn every_gap_is_told_with_its_place_and_what_belongs_there() {
    let error = parse(BLANK).unwrap_err();
    let gaps: Vec<usize> = (1..)
        .zip(BLANK.lines())
        .filter(|(_number, line)| line.contains(NOT_FILLED_IN) && !line.starts_with('#'))
        .map(|(number, _line)| number)
        .collect();
    let told: Vec<usize> = error.problems().iter().map(|problem| problem.line).collect();
    assert_eq!(told, gaps, "{error}");
    assert!(gaps.len() > 80, "{} gaps", gaps.len());
    for problem in error.problems() {
        assert_eq!(problem.what, "is not filled in");
        assert!(problem.todo.starts_with("write "), "{problem}");
    }
    let first = error.to_string();
    let first = first.lines().next().unwrap();
    assert!(first.ends_with("name: is not filled in; write the name of the profile in quotes"));
}

#[test]
fn no_limit_of_a_measurement_is_filled_in() {
    let bound = |line: &&str| line.starts_with("below") || line.starts_with("above");
    let filled: Vec<&str> = lines(BLANK)
        .into_iter()
        .filter(bound)
        .filter(|line| !line.contains(NOT_FILLED_IN))
        .collect();
    assert_eq!(filled, Vec::<&str>::new());
}

#[test]
fn filled_with_the_starters_numbers_it_is_the_starter() {
    let (blank, starter) = (lines(BLANK), lines(STARTER));
    assert_eq!(blank.len(), starter.len());
    let fill = |(gap, line): (&str, &str)| {
        if gap.contains(NOT_FILLED_IN) {
            let key = |line: &str| line.split(" = ").next().map(str::to_owned);
            assert_eq!(key(gap), key(line));
            return format!("{line}\n");
        }
        assert_eq!(gap, line);
        format!("{gap}\n")
    };
    let filled: String = blank.into_iter().zip(starter).map(fill).collect();
    let (mut filled, starter) = (parse(&filled).unwrap(), parse(STARTER).unwrap());
    filled.hash = starter.hash;
    assert_eq!(filled, starter);
}
