//! Signs a person in at every gateway that was named, keeps the tokens in a file, and signs out again.

use std::io::{BufRead as _, IsTerminal as _};
use std::path::{Path, PathBuf};

use crossterm::event::{Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers, read};
use crossterm::terminal::{disable_raw_mode, enable_raw_mode};

use super::{CommandError, Context};
use crate::args::LoginArgs;
use crate::client::Tokens;
use crate::verdict::Verdict;

/// Where tokens are kept when the command line does not say: where the system clears up at the end of the session, or else at home.
pub(crate) fn usual_file() -> Option<PathBuf> {
    let of = |name: &str| std::env::var_os(name).filter(|it| !it.is_empty()).map(PathBuf::from);
    let runtime = of("XDG_RUNTIME_DIR").map(|dir| dir.join("ecmoctl-tokens"));
    runtime.or_else(|| of("HOME").map(|dir| dir.join(".ecmoctl-tokens")))
}

fn file_of(context: &Context) -> Result<&Path, CommandError> {
    let nowhere = || CommandError::Usage("name a file by --token-file".to_owned());
    context.tokens_file.as_deref().ok_or_else(nowhere)
}

/// Signs in; one gateway that refuses is told, and the others are tried.
pub(crate) async fn login(context: Context, args: LoginArgs) -> Result<Verdict, CommandError> {
    let file = file_of(&context)?;
    let what = if args.pin { "PIN" } else { "Password" };
    let secret = secret(what).map_err(CommandError::Terminal)?;
    let mut tokens = Tokens::read(file).map_err(CommandError::File)?;
    let mut refused = None;
    for gateway in context.gateway.all() {
        match gateway.sign_in(&args.name, &secret, args.pin).await {
            Ok(known) => {
                tokens.set(gateway.url(), &known.token);
                let minutes = known.left_s.div_ceil(60);
                let (url, name, role) = (gateway.url(), known.name, known.role);
                context.printer.note(&format!("{url}: {name}, {role}, for {minutes} min at most"));
            }
            Err(error) => refused = Some(error),
        }
    }
    tokens.write(file).map_err(CommandError::File)?;
    refused.map_or(Ok(Verdict::Fine), |error| Err(CommandError::Client(error)))
}

/// Signs out, and forgets the tokens even of a gateway that does not answer.
pub(crate) async fn logout(context: Context) -> Result<Verdict, CommandError> {
    let file = file_of(&context)?;
    let mut tokens = Tokens::read(file).map_err(CommandError::File)?;
    let mut lost = None;
    for gateway in context.gateway.all() {
        lost = gateway.sign_out().await.err().or(lost);
        tokens.forget(gateway.url());
    }
    tokens.write(file).map_err(CommandError::File)?;
    lost.map_or(Ok(Verdict::Fine), |error| Err(CommandError::Client(error)))
}

/// A secret: typed without an echo, or the first line of what comes from elsewhere.
fn secret(what: &str) -> std::io::Result<String> {
    if !std::io::stdin().is_terminal() {
        let mut line = String::new();
        std::io::stdin().lock().read_line(&mut line)?;
        return Ok(line.trim_end_matches(['\n', '\r']).to_owned());
    }
    eprint!("{what}: ");
    enable_raw_mode()?;
    let typed = typed();
    disable_raw_mode()?;
    eprintln!();
    typed
}

#[expect(clippy::wildcard_enum_match_arm, reason = "of the keys of a terminal these few matter")]
fn typed() -> std::io::Result<String> {
    let mut secret = String::new();
    loop {
        let Event::Key(KeyEvent { code, modifiers, kind, .. }) = read()? else { continue };
        if kind == KeyEventKind::Release {
            continue;
        }
        match code {
            KeyCode::Char('c' | 'd') if modifiers.contains(KeyModifiers::CONTROL) => {
                return Err(std::io::ErrorKind::Interrupted.into());
            }
            KeyCode::Char(letter) => secret.push(letter),
            KeyCode::Backspace => drop(secret.pop()),
            KeyCode::Enter => return Ok(secret),
            _ => {}
        }
    }
}
