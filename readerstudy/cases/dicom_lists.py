"""What of a DICOM header is read at all, and which values of it are handed on."""

_KEPT = (
    "Modality SOPClassUID SOPInstanceUID SeriesInstanceUID SeriesNumber InstanceNumber ImageType ConversionType "
    "BurnedInAnnotation SamplesPerPixel PhotometricInterpretation PlanarConfiguration NumberOfFrames Rows Columns "
    "BitsAllocated BitsStored HighBit PixelRepresentation PixelSpacing ImagerPixelSpacing PixelSpacingCalibrationType "
    "ImageOrientationPatient ImagePositionPatient SliceThickness RescaleSlope RescaleIntercept WindowCenter "
    "WindowWidth VOILUTFunction VOILUTSequence ModalityLUTSequence BodyPartExamined Laterality "
    "ImageLaterality ViewPosition SharedFunctionalGroupsSequence PerFrameFunctionalGroupsSequence "
    "PatientOrientation FrameOfReferenceUID SeriesDescription "
    "RedPaletteColorLookupTableDescriptor GreenPaletteColorLookupTableDescriptor "
    "BluePaletteColorLookupTableDescriptor RedPaletteColorLookupTableData GreenPaletteColorLookupTableData "
    "BluePaletteColorLookupTableData"
)
KEPT = tuple(_KEPT.split())
PIXELS = ("PixelData", "FloatPixelData", "DoubleFloatPixelData")
# Where the frames of compressed pixels begin, and how long they are.
OFFSETS = ("ExtendedOffsetTable", "ExtendedOffsetTableLengths")

# Values, not only tags, are on a list: a name typed into a code field does not pass.
_MODALITIES = (
    "CR DX CT MR MG RF XA PT NM US IVUS OT SC XC ES SM OP PX IO BMD SEG RTDOSE RTIMAGE SR PR KO DOC "
    "REG RTSTRUCT RTPLAN FID PLAN ECG AU"
)
MODALITIES = frozenset(_MODALITIES.split())
_BODY_PARTS = (
    "ABDOMEN ANKLE ARM BRAIN BREAST CHEST CLAVICLE COCCYX CSPINE ELBOW EXTREMITY FEMUR FOOT FOREARM HAND HEAD HEART "
    "HIP HUMERUS KNEE KIDNEY LEG LIVER LSPINE LSSPINE LUMBAR NECK PELVIS PROSTATE SHOULDER SKULL SPINE SSPINE TSPINE "
    "THORAX TLSPINE WHOLEBODY WRIST"
)
BODY_PARTS = frozenset(_BODY_PARTS.split())
LATERALITIES = frozenset("LRUB")
# Of the sides of the patient: left, right, anterior, posterior, head, foot.
SIDES = frozenset("LRAPHF")
# What a description of a series says of its kind, as whole words; of the weightings that exclude each other the first.
_WEIGHTINGS = {
    "DWI": "DWI|DIFF|DIFFUSION",
    "ADC": "ADC",
    "SWI": "SWI",
    "STIR": "STIR|TIRM",
    "T1W FLAIR": "T1W?[^A-Z0-9]*FLAIR",
    "FLAIR": "FLAIR",
    "T2STAR": r"T2W?(?:STAR|\*)",
    "T1W": "T1W?I?|T1TSE|T1FSE|T1SE",
    "T2W": "T2W?I?|T2TSE|T2FSE",
    "PDW": "PDW?|PDTSE",
    "LOCALIZER": "LOCALI[SZ]ER|LOC|SCOUT|SURVEY|TOPOGRAM",
}
_ADDITIONS = {"DIXON": "DIXON", "FS": "FS|FATSAT|SPAIR|SPIR", "GD": "GD|GAD"}
_KERNELS = {"BONE": "BONE", "SOFT": "SOFT", "LUNG": "LUNG"}
WORDS = {"MR": (_WEIGHTINGS, _ADDITIONS), "CT": (_KERNELS, {})}
_VIEWS = "AP PA LL RL RLD LLD RLO LLO LAT LATERAL CC MLO ML LM OBLIQUE AXIAL"
VIEWS = frozenset(_VIEWS.split())

SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
CROSS_SECTIONAL = ("CT", "MR", "PT", "NM")
ULTRASOUND_AND_PHOTOGRAPHS = ("US", "IVUS", "SC", "XC", "ES", "OP", "SM")
# What lies beside the pictures in a study: passed over in a folder, refused where a row names it.
NOT_PICTURES = {
    "SEG": "a segmentation",
    "RTDOSE": "a dose distribution",
    "BMD": "a densitometry report",
    "SR": "a structured report",
    "PR": "a presentation state",
    "KO": "a list of key images",
    "DOC": "a document",
    "REG": "a registration",
    "FID": "a list of fiducials",
    "PLAN": "a plan",
    "RTSTRUCT": "a set of contours",
    "RTPLAN": "a plan of radiotherapy",
    "ECG": "a waveform",
    "AU": "a sound",
}
GREY = ("MONOCHROME1", "MONOCHROME2")
COLOUR = ("RGB", "YBR_FULL", "YBR_FULL_422", "YBR_RCT", "YBR_ICT", "PALETTE COLOR")
READABLE_SYNTAXES = frozenset(
    f"1.2.840.10008.1.2{ending}"
    for ending in (
        ["", ".1", ".1.99", ".2", ".5"] + [f".4.{number}" for number in (50, 51, 57, 70, 80, 81, 90, 91, 201, 202, 203)]
    )
)
JPEG_EXTENDED = "1.2.840.10008.1.2.4.51"
