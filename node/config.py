"""The settings of a node: `config.toml` in its folder, over which `PASSPORT_SECTION__KEY` wins. Unknown keys refuse."""

import json
from collections.abc import Mapping
from ipaddress import ip_address, ip_network
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

from federation.errors import RemoteProtocolError
from federation.peer import check_url
from federation.sync.allowance import Allowance
from node.errors import ConfigError
from node.passport.errors import NumberError
from node.passport.ids import is_domain
from node.passport.numbers import parse_inn, parse_ogrn
from node.passport.waiting import RECORD_DAYS
from node.store.address import parse_address

CONFIG_FILE = "config.toml"
EVERYWHERE = ("", "0.0.0.0", "::")  # noqa: S104 - what is told to others is refused, not listened on


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class NodeSection(_Section):
    """Who runs this node; what stands here is published in its card."""

    name: str = Field(min_length=1, max_length=128)
    inn: str = ""
    ogrn: str = ""
    kind: Literal["maker", "lab", "utility", "housing", "service", "operator"] = "utility"
    place: str = ""
    language: Literal["ru", "en"] = "ru"

    @field_validator("inn", "ogrn")
    @classmethod
    def _check_digits(cls, text: str, info: ValidationInfo) -> str:
        """What a card says of numbers is signed: one with a slip of the pen is refused before."""
        try:
            return text and (parse_inn if info.field_name == "inn" else parse_ogrn)(text)
        except NumberError as error:
            raise ValueError(str(error)) from error


class StoreSection(_Section):
    """Where the store is: `postgresql://user@host/database`; empty means passport.sqlite in the folder.

    The password of a database's user stands in a file of its own, named from the folder on. At a start the node waits
    `wait_s` for a server that does not answer yet.
    """

    url: str = Field(default="", repr=False)
    password_file: str = ""
    wait_s: float = Field(default=10.0, ge=0, le=3600)

    @field_validator("url")
    @classmethod
    def _check_address(cls, text: str) -> str:
        return text and parse_address(text)


class WebSection(_Section):
    """The console and the API, on loopback until told otherwise. Port 0 takes a free one."""

    host: str = "127.0.0.1"
    port: int = Field(default=8440, ge=0, le=65535)


class PublicSection(_Section):
    """The public door: the pages behind labels, `/d/…`, and nothing else; off unless `enabled`.

    `domain` is the name under which others reach it, as it stands on labels: `https://<domain>/d/<device id>`; empty
    means the host of the federation's `url` where that is a name. It is a door of https with `certificate` and `key`
    (files, from the node's folder on), else one behind a server that is; of such a server, one of the networks in
    `proxies`, the address of the visitor is believed. An address is answered `requests_s` times a second, up to a
    `burst` after a silence.
    """

    enabled: bool = False
    host: str = "127.0.0.1"
    port: int = Field(default=8442, ge=0, le=65535)
    domain: str = ""
    certificate: str = ""
    key: str = ""
    proxies: list[str] = ["127.0.0.0/8", "::1/128"]
    requests_s: float = Field(default=2.0, gt=0)
    burst: int = Field(default=60, ge=1)

    @field_validator("domain")
    @classmethod
    def _check_domain(cls, text: str) -> str:
        """It is printed: a slip of the pen is refused before."""
        if text and not is_domain(text):
            raise ValueError(
                "a domain is a name in small Latin letters, as example.com, without https:// and without /"
            )
        return text

    @field_validator("proxies")
    @classmethod
    def _check_proxies(cls, networks: list[str]) -> list[str]:
        for network in networks:
            ip_network(network)
        return networks

    @model_validator(mode="after")
    def _check_pair(self) -> "PublicSection":
        if bool(self.certificate) != bool(self.key):
            raise ValueError("certificate and key are named both or neither")
        return self


class LimitsSection(_Section):
    """What other nodes may take of this one; who comes with more is asked to come later.

    Of one node: `requests_s` and `bytes_s` a second, `lookups_s` of these for devices, up to a burst after a silence,
    and `at_once` questions. Of one address from which nobody known asked yet: `stranger_connections`, each for
    `stranger_s`, and refused requests. Of one organisation: `org_connections`. Over all: `connections`, and bytes of
    questions and answers `in_hand`.
    """

    requests_s: float = Field(default=Allowance.requests_s, gt=0)
    requests_burst: int = Field(default=Allowance.requests_burst, gt=0)
    bytes_s: int = Field(default=Allowance.bytes_s, gt=0)
    bytes_burst: int = Field(default=Allowance.bytes_burst, ge=1 << 20)
    at_once: int = Field(default=Allowance.at_once, gt=0)
    stranger_requests_s: float = Field(default=Allowance.stranger_requests_s, gt=0)
    stranger_requests_burst: int = Field(default=Allowance.stranger_requests_burst, gt=0)
    stranger_connections: int = Field(default=Allowance.stranger_connections, gt=0)
    stranger_s: float = Field(default=Allowance.stranger_s, ge=1)
    org_connections: int = Field(default=Allowance.org_connections, gt=0)
    connections: int = Field(default=Allowance.connections, gt=0)
    in_hand: int = Field(default=Allowance.in_hand, ge=16 << 20)
    lookups_s: float = Field(default=Allowance.lookups_s, gt=0)
    lookups_burst: int = Field(default=Allowance.lookups_burst, gt=0)


class FederationSection(_Section):
    """The federation port, https only. `url` is what others are told; empty means host and port.

    With `dial_out_only` no port is opened and no address told: the others ask this node on the connections that it
    dialled, as one behind an address translation needs it.

    A peer is asked each `poll_s` seconds whether it has something new; ever more rarely, down to twice an hour, while
    it is connected, since it tells of news then, or away.

    With `announces` this node tells holders of the directory what it holds, changes gathered for `announce_s`; else its
    devices are found by who asks it. Of one node at most `announced_marks` are kept here. A member looks up at most
    `lookups_day` new devices a day here, or as many as `lookups_agreed` says of its id.

    Of an organisation that is no member at most `guest_logs` logs and `guest_entries` entries a day are taken, and
    `guest_lookups` of its questions for a device are answered a day.
    """

    host: str = "127.0.0.1"
    port: int = Field(default=8441, ge=0, le=65535)
    url: str = ""
    dial_out_only: bool = False
    discovery: bool = True
    discovery_interfaces: list[str] = ["127.0.0.1"]
    poll_s: float = Field(default=30.0, gt=0)
    limits: LimitsSection = LimitsSection()
    guest_logs: int = Field(default=8, ge=1)
    guest_entries: int = Field(default=20_000, ge=1)
    guest_lookups: int = Field(default=100, ge=0)
    announces: bool = True
    announce_s: float = Field(default=30.0, ge=0)
    announced_marks: int = Field(default=5_000_000, ge=0)
    lookups_day: int = Field(default=1_000, ge=0)
    lookups_agreed: dict[str, int] = {}

    @field_validator("url")
    @classmethod
    def _check_url(cls, text: str) -> str:
        """Others take it as the address of this node, or refuse its card."""
        try:
            return text and check_url(text)
        except RemoteProtocolError as error:
            raise ValueError(str(error)) from error

    @field_validator("discovery_interfaces")
    @classmethod
    def _check_interfaces(cls, texts: list[str]) -> list[str]:
        try:
            return [str(ip_address(text)) for text in texts]
        except ValueError as error:
            raise ValueError(f"{error}: an interface is named by an address of it, as 192.168.1.5") from error

    @model_validator(mode="after")
    def _check_address(self) -> "FederationSection":
        if self.dial_out_only and self.url:
            raise ValueError("a node that only dials out has no url: take one of the two away")
        if self.host in EVERYWHERE and not self.url and not self.dial_out_only:
            raise ValueError(f"nobody can dial {self.host}: name in url what others reach this node by")
        return self


class RadioSection(_Section):
    """The gateway port of the network server; off unless this organisation owns a network.

    What devices are told beside their region's defaults: `channels_hz` are added, `duty_cycle` n lets them send 1 / 2^n
    of the time. `adr` sets rates and powers of devices that ask for it, `adr_margin_db` above the floor; each device is
    asked for its battery every `status_hours`, 0 for never. Devices in service are brought to a change by commands.
    """

    enabled: bool = False
    host: str = "127.0.0.1"
    port: int = Field(default=1700, ge=0, le=65535)
    region: Literal["RU864", "EU868"] = "RU864"
    net_id: int = Field(default=0, ge=0, lt=2**24)
    adr: bool = True
    adr_margin_db: float = Field(default=10.0, ge=0, le=40)
    status_hours: int = Field(default=24, ge=0, le=8760)
    channels_hz: list[int] = Field(default=[], max_length=5)
    rx1_delay_s: int = Field(default=1, ge=1, le=15)
    rx1_dr_offset: int = Field(default=0, ge=0, le=7)
    rx2_dr: int | None = Field(default=None, ge=0, le=15)
    rx2_frequency_hz: int | None = None
    duty_cycle: int = Field(default=0, ge=0, le=15)


class WebhooksSection(_Section):
    """Telling other systems of changes. `allow` are networks, as `10.1.0.0/16`, into which that is let: elsewhere it
    goes to public addresses over TLS alone. An event that was not taken is tried again after `retry_s`, then at
    doubling intervals, for `give_up_days`.
    """

    allow: list[str] = []
    retry_s: float = Field(default=1.0, gt=0, le=3600)
    timeout_s: float = Field(default=10.0, gt=0, le=60)
    give_up_days: float = Field(default=5.0, gt=0)
    most: int = Field(default=50, ge=0, le=1000)

    @field_validator("allow")
    @classmethod
    def _check_networks(cls, networks: list[str]) -> list[str]:
        for network in networks:
            ip_network(network)
        return networks


class ArshinSection(_Section):
    """Reading the public interface of ФГИС «Аршин»: off while `url` is empty.

    `pause_s` lies between two requests of this node, whatever asks; a result of verification has no record in the
    register for `record_days` days at most before it is shown as such.
    """

    url: str = Field(default="", max_length=512, pattern=r"^(https?://[^\s?#]+)?$")
    pause_s: float = Field(default=2.0, ge=2.0, le=3600)
    timeout_s: float = Field(default=30.0, gt=0, le=600)
    record_days: int = Field(default=RECORD_DAYS, ge=1, le=3650)


class BenchSection(_Section):
    """The folder into which a bench drops its files; off while it is empty."""

    folder: str = ""
    poll_s: float = Field(default=2.0, gt=0, le=3600)


class BackupSection(_Section):
    """Backups of this node: where they are put (empty: `backups` in its folder), how often by themselves (0: never),
    and how many good ones are kept. By themselves they are made once there is a recovery key.
    """

    folder: str = ""
    every_hours: float = Field(default=24.0, ge=0, le=24 * 366)
    keep: int = Field(default=7, ge=1, le=1000)

    def place(self, home: Path) -> Path:
        """The folder of backups, from the node's own folder on."""
        return home / Path(self.folder or "backups").expanduser()


class Settings(BaseSettings):
    """All settings of one node."""

    model_config = SettingsConfigDict(
        env_prefix="PASSPORT_",
        env_nested_delimiter="__",
        extra="forbid",
        frozen=True,
        nested_model_default_partial_update=True,
    )

    node: NodeSection
    store: StoreSection = StoreSection()
    web: WebSection = WebSection()
    public: PublicSection = PublicSection()
    federation: FederationSection = FederationSection()
    radio: RadioSection = RadioSection()
    webhooks: WebhooksSection = WebhooksSection()
    arshin: ArshinSection = ArshinSection()
    bench: BenchSection = BenchSection()
    backup: BackupSection = BackupSection()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Environment first, then the file of this call."""
        return env_settings, init_settings


def load_settings(folder: Path) -> Settings:
    """Read the settings of a node's folder; raise ConfigError naming the file and the key."""
    path = folder / CONFIG_FILE
    if not path.is_file():
        raise ConfigError(f"{path} is not there: make the node first with `passport-node init {folder}`")
    try:
        values: dict[str, Any] = TomlConfigSettingsSource(Settings, path)()
        return Settings(**values)
    except (ValidationError, ValueError) as error:
        raise ConfigError(f"{path}: {_first_line(error)}") from error


def template_config(
    node: dict[str, str],
    web_port: int,
    federation_port: int,
    radio_port: int | None,
    store: Mapping[str, str] = MappingProxyType({}),
    *,
    dial_out: bool = False,
) -> str:
    """The first `config.toml` of a node."""
    lines = ["[node]", *_assigned(node)]
    if any(store.values()):
        lines += ["", "[store]", *_assigned(store)]
    lines += ["", "[web]", f"port = {web_port}", "", "[federation]"]
    lines.append("dial_out_only = true" if dial_out else f"port = {federation_port}")
    if radio_port is not None:
        lines += ["", "[radio]", "enabled = true", f"port = {radio_port}"]
    return "\n".join(lines) + "\n"


def _assigned(values: Mapping[str, str]) -> list[str]:
    return [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in values.items() if value]


def _first_line(error: Exception) -> str:
    if isinstance(error, ValidationError):
        first = error.errors()[0]
        return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
    return str(error)
