//! The HTTP API of a running show, as `obvan ctl` asks it.

use std::time::Duration;

use serde_json::{Value, json};

use crate::exit::{Means, Outcome, Result, failed, wrong};
use crate::guard::TOKEN_VARIABLE;

/// A running show's API.
pub(crate) struct Api {
    base: String,
    token: Option<String>,
    agent: ureq::Agent,
}

/// What it answered.
pub(crate) struct Answer {
    pub(crate) code: u16,
    pub(crate) body: Value,
}

impl Answer {
    pub(crate) fn outcome(&self) -> Outcome {
        match self.code {
            200..300 => Outcome::Done,
            // Asked for something that is not there: asking again will not help.
            400 | 404 | 405 | 422 | 501 => Outcome::Wrong,
            _ => Outcome::Failed,
        }
    }

    /// The refusal in words, with its code and the legal values.
    pub(crate) fn accepted(&self) -> Result<()> {
        let text = |name: &str| self.body[name].as_str();
        let message = text("message").unwrap_or("the engine gave no reason");
        let code =
            text("code").map_or_else(|| self.code.to_string(), |code| format!("{code}, {}", self.code));
        let legal: Vec<&str> =
            self.body["legal"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let legal = if legal.is_empty() { String::new() } else { format!("; legal: {}", legal.join(", ")) };
        match self.outcome() {
            Outcome::Done => Ok(()),
            Outcome::Wrong => wrong(format_args!("{message} ({code}){legal}")),
            Outcome::Failed => failed(format_args!("{message} ({code}){legal}")),
        }
    }
}

impl Api {
    pub(crate) fn new(url: &str) -> Result<Self> {
        let base = url.trim_end_matches('/').to_owned();
        if !base.starts_with("http://") {
            return wrong(format_args!("--api {url:?} is not legal: http://ADDRESS:PORT"));
        }
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_secs(10)))
            .build();
        Ok(Self { base, token: std::env::var(TOKEN_VARIABLE).ok(), agent: config.into() })
    }

    pub(crate) fn ask(&self, path: &str, body: Option<&Value>) -> Result<Answer> {
        let url = format!("{}{path}", self.base);
        let token = self.token.as_ref().map(|token| format!("Bearer {token}"));
        let sent = match body {
            Some(body) => {
                let mut request = self.agent.post(&url);
                if let Some(token) = &token {
                    request = request.header("Authorization", token);
                }
                request.send_json(body)
            }
            None => {
                let mut request = self.agent.get(&url);
                if let Some(token) = &token {
                    request = request.header("Authorization", token);
                }
                request.call()
            }
        };
        let mut response = match sent {
            Ok(response) => response,
            Err(err) => {
                return Err(err)
                    .failed(format!("no show answers at {url}; is one running, and is --api right?"));
            }
        };
        let code = response.status().as_u16();
        let text = response.body_mut().read_to_string().failed(format!("reading the answer of {url}"))?;
        let body = serde_json::from_str(&text).unwrap_or_else(|_| json!({ "message": text.trim() }));
        Ok(Answer { code, body })
    }

    /// The channel that is meant where none is named.
    pub(crate) fn only_channel(&self) -> Result<String> {
        let answer = self.ask("/api/status", None)?;
        answer.accepted()?;
        let channels = answer.body["channels"].as_array();
        let names: Vec<&str> = channels.into_iter().flatten().filter_map(|c| c["name"].as_str()).collect();
        match names[..] {
            [only] => Ok(only.to_owned()),
            [] => failed("the show has no channel"),
            _ => wrong(format_args!("say which channel with --channel; legal: {}", names.join(", "))),
        }
    }
}
