"""The typologies, one file each. Their order is the order of alerts found at the same transfer."""

from services.detector.typologies.abnormal_return import AbnormalReturn
from services.detector.typologies.bipartite import Bipartite
from services.detector.typologies.borrower_cap import BorrowerCap
from services.detector.typologies.commingling import Commingling
from services.detector.typologies.custody_bypass import CustodyBypass
from services.detector.typologies.cycle import Cycle
from services.detector.typologies.disguised_clearing import DisguisedClearing
from services.detector.typologies.disguised_debt import DisguisedDebt
from services.detector.typologies.dormant_wake import DormantWake
from services.detector.typologies.down_payment_loan import DownPaymentLoan
from services.detector.typologies.exit_drain import ExitDrain
from services.detector.typologies.fan_in import FanIn
from services.detector.typologies.fan_out import FanOut
from services.detector.typologies.firewall_breach import FirewallBreach
from services.detector.typologies.fund_advance import FundAdvance
from services.detector.typologies.gather_scatter import GatherScatter
from services.detector.typologies.investor_limit import InvestorLimit
from services.detector.typologies.margin_funding import MarginFunding
from services.detector.typologies.maturity_mismatch import MaturityMismatch
from services.detector.typologies.misappropriation import Misappropriation
from services.detector.typologies.nested_products import NestedProducts
from services.detector.typologies.pass_through import PassThrough
from services.detector.typologies.platform_lending import PlatformLending
from services.detector.typologies.ponzi import Ponzi
from services.detector.typologies.pooling import Pooling
from services.detector.typologies.redemption_run import RedemptionRun
from services.detector.typologies.reserve_interest import ReserveInterest
from services.detector.typologies.reserve_location import ReserveLocation
from services.detector.typologies.reserve_misuse import ReserveMisuse
from services.detector.typologies.reserve_shortfall import ReserveShortfall
from services.detector.typologies.round_tripping import RoundTripping
from services.detector.typologies.scatter_gather import ScatterGather
from services.detector.typologies.self_guarantee import SelfGuarantee
from services.detector.typologies.self_lending import SelfLending
from services.detector.typologies.self_raise import SelfRaise
from services.detector.typologies.split_sale import SplitSale
from services.detector.typologies.stack import Stack
from services.detector.typologies.straw_borrowers import StrawBorrowers
from services.detector.typologies.structuring import Structuring
from services.detector.typologies.term_splitting import TermSplitting
from services.detector.typologies.unlicensed_payment import UnlicensedPayment
from services.detector.typology import Typology

TYPOLOGIES: tuple[type[Typology], ...] = (
    Pooling,
    SelfLending,
    ReserveMisuse,
    Structuring,
    FirewallBreach,
    Commingling,
    ReserveInterest,
    FundAdvance,
    NestedProducts,
    ReserveShortfall,
    ReserveLocation,
    BorrowerCap,
    Misappropriation,
    CustodyBypass,
    PlatformLending,
    SelfGuarantee,
    PassThrough,
    InvestorLimit,
    Ponzi,
    DownPaymentLoan,
    UnlicensedPayment,
    MarginFunding,
    MaturityMismatch,
    SplitSale,
    DormantWake,
    SelfRaise,
    AbnormalReturn,
    DisguisedClearing,
    StrawBorrowers,
    TermSplitting,
    DisguisedDebt,
    RoundTripping,
    ExitDrain,
    RedemptionRun,
    Bipartite,
    ScatterGather,
    Stack,
    GatherScatter,
    FanIn,
    FanOut,
    Cycle,
)
