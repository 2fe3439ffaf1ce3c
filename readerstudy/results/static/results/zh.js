// Simplified Chinese for the buttons that plotly draws over a figure.

export default {
  moduleType: "locale",
  name: "zh-CN",
  dictionary: {
    "Autoscale": "自动缩放",
    "Box Select": "框选",
    "Compare data on hover": "悬停时比较数据",
    "Double-click on legend to isolate one trace": "双击图例可单独显示一条",
    "Double-click to zoom back out": "双击恢复缩放",
    "Download plot": "下载图形",
    "Download plot as a PNG": "下载为 PNG",
    "Pan": "平移",
    "Reset": "复位",
    "Reset axes": "复位坐标轴",
    "Show closest data on hover": "悬停时显示最近数据",
    "Snapshot succeeded": "图形已保存",
    "Sorry, there was a problem downloading your snapshot!": "图形未能下载。",
    "Taking snapshot - this may take a few seconds": "正在生成图形，请稍候",
    "Toggle Spike Lines": "显示或隐藏辅助线",
    "Zoom": "缩放",
    "Zoom in": "放大",
    "Zoom out": "缩小",
  },
  format: {},
};
